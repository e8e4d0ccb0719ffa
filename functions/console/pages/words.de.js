/** German. The causes at the end are what the API says in English; see `explanation` in tool.js. */
export const words = {
  // anywhere
  waiting: "Einen Moment …",
  late: "Das dauert länger, als es sollte. Wenn nichts geschieht, öffnen Sie diese Seite noch einmal aus Ihrem Kurs.",
  reopen_title: "Öffnen Sie diese Aktivität noch einmal aus Ihrem Kurs",
  reopen: "Diese Seite funktioniert nur, wenn sie von dort geöffnet wird.",
  reopen_ended: "Dieser Besuch ist beendet, wie jeder nach einigen Stunden.",
  network_title: "Keine Verbindung",
  network: "Der Server war nicht erreichbar. Prüfen Sie Ihre Verbindung und versuchen Sie es dann noch einmal.",
  server_title: "Bei uns ist etwas schiefgegangen",
  server: "Vielleicht hilft es, es gleich noch einmal zu versuchen.",
  refused_title: "Das hat nicht geklappt",
  support: "Wenn Sie um Hilfe bitten, nennen Sie dies:",
  code: "Fehlercode {code}",
  support_id: "Support-ID {id}",
  retry: "Noch einmal versuchen",

  // activity
  question_of: "Frage {number} von {total}",
  points: { one: "{n} Punkt", other: "{n} Punkte" },
  choose_all: "wählen Sie alles Zutreffende",
  read_as: "Gelesen als {quantity}.",
  not_a_number: "Schreiben Sie hier eine Zahl, zum Beispiel 12,5.",
  answered: "{done} von {total} beantwortet",
  submit: "Abgeben",
  submitting: "Wird abgegeben …",
  unanswered: { one: "{n} Frage hat noch keine Antwort", other: "{n} Fragen haben noch keine Antwort" },
  unanswered_advice: "Sie können dorthin zurückgehen oder so abgeben.",
  submit_anyway: "Trotzdem abgeben",
  keep_answering: "Weiter antworten",
  result: "Ihr Ergebnis",
  mark: "Sie haben {given} von {maximum} Punkten",
  handed_in: "Abgegeben am {when}",
  try_again: "Noch einmal bearbeiten",
  preview: "Vorschau",
  preview_advice: "So sehen es die Lernenden. Hier kann nichts beantwortet oder gespeichert werden.",
  back_to_marks: "Zurück zu den Bewertungen",
  not_chosen_title: "Hier ist noch nichts",
  not_chosen: "Ihre Lehrkraft hat für diesen Link noch keine Aktivität ausgewählt.",
  look_again: "Noch einmal nachsehen",

  // where a mark is, as the learner reads it
  own_waiting: "Ihre Bewertung ist auf dem Weg ins Notenbuch Ihrer Lehrkraft.",
  own_sent: "Ihre Bewertung steht im Notenbuch Ihrer Lehrkraft.",
  own_refused: "Ihre Bewertung ist hier sicher, aber das Notenbuch Ihrer Lehrkraft hat sie nicht angenommen.",
  own_not_sent: "Ihre Bewertung bleibt hier und wurde an kein Notenbuch gesendet.",
  own_held: "Ihre Bewertung ist hier sicher. Im Notenbuch Ihrer Lehrkraft wurde sie geändert; dort gilt die geänderte.",
  own_superseded: "Eine neuere Bewertung ist an ihre Stelle getreten.",
  own_slow: "Das dauert länger als sonst. Sie können diese Seite verlassen: Die Bewertung wird auch ohne Sie gesendet.",

  // where a mark is, as staff read it
  state_waiting: "Unterwegs",
  state_sent: "Im Notenbuch",
  state_refused: "Nicht angenommen",
  state_not_sent: "Nicht gesendet",
  state_held: "Im Notenbuch geändert",
  state_superseded: "Durch eine neuere ersetzt",
  state_count: "{state}: {n}",
  tried: { one: "einmal versucht", other: "{n} Mal versucht" },
  last_try: "zuletzt am {when}",
  next_try: "nächster Versuch {when}",

  // marks
  marks_title: "Bewertungen",
  marks_of: "Bewertungen: {title}",
  learner: "Name",
  mark_column: "Punkte",
  handed_in_column: "Abgegeben",
  gradebook_column: "Notenbuch",
  mark_of: "{given} von {maximum}",
  handed_in_count: { one: "{n} Person hat abgegeben", other: "{n} Personen haben abgegeben" },
  nobody: "Noch hat niemand abgegeben",
  nobody_advice: "Alle Lernenden erscheinen hier, sobald sie abgegeben haben.",
  refresh: "Aktualisieren",
  refreshed: "Auf dem Stand von {when}",
  preview_questions: "Vorschau der Fragen",
  open_external: "„{title}“ öffnen",
  choose_title: "Wählen Sie eine Aktivität für diesen Link",
  choose_advice: "Wer diesen Link öffnet, bekommt die Aktivität, die Sie auswählen.",
  choose: "Diese Aktivität verwenden",
  choose_other: "Andere Aktivität wählen",
  back: "Zurück",
  part_deliver: "Bereitstellen",
  part_monitor: "Beobachten",
  part_grade: "Bewerten",
  part_report: "Bericht",
  delivered: "Wer diesen Link öffnet, bekommt:",
  course_link: "Adresse für einen weiteren Link in einem Kurs:",
  named_by_link: "Der Link selbst nennt diese Aktivität. Für eine andere legen Sie im Kurs einen anderen Link an.",
  not_chosen_staff:
    "Für diesen Link hat noch niemand eine Aktivität ausgewählt. Lehrende des Kurses können das hier tun.",
  begun: "begonnen am {when}",
  begun_column: "Begonnen",
  begun_count: { one: "{n} Person hat erst begonnen", other: "{n} Personen haben erst begonnen" },
  find_learner: "Person suchen",
  all_states: "Alle",
  shown: "{n} von {total} angezeigt",
  resend: "Noch einmal senden",
  resend_name: "Noch einmal senden: {name}",
  resend_all: { one: "{n} Bewertung noch einmal senden", other: "{n} Bewertungen noch einmal senden" },
  resent: { one: "{n} Bewertung ist wieder unterwegs", other: "{n} Bewertungen sind wieder unterwegs" },
  download: "Als CSV herunterladen",
  report_handed_in: "Abgegeben",
  report_mean: "Durchschnitt",
  report_highest: "Höchste",
  report_lowest: "Niedrigste",

  // the catalogue
  search: "Aktivitäten suchen",
  activities: "Aktivitäten",
  found: { one: "{n} Aktivität", other: "{n} Aktivitäten" },
  found_more: "Die ersten {n} Aktivitäten",
  found_none: "Keine Aktivität passt zu „{query}“.",
  catalogue_empty: "Es gibt noch keine Aktivitäten.",
  more: "Mehr anzeigen",
  questions: { one: "{n} Frage", other: "{n} Fragen" },
  external: "öffnet sich in der App des Anbieters",
  adds_column: { one: "neue Spalte im Notenbuch mit {n} Punkt", other: "neue Spalte im Notenbuch mit {n} Punkten" },

  // picker
  picker_title_one: "Wählen Sie eine Aktivität",
  picker_title_many: "Wählen Sie Aktivitäten",
  picker_into: "Die Aktivität wird Teil von „{course}“.",
  picker_into_many: "Die Aktivitäten werden Teil von „{course}“.",
  chosen: { one: "{n} ausgewählt: {titles}", other: "{n} ausgewählt: {titles}" },
  chosen_none: "Noch nichts ausgewählt",
  add: "Zum Kurs hinzufügen",
  cancel: "Abbrechen",
  wrong_place_title: "Aktivitäten passen hier nicht hin",
  wrong_place:
    "Diese Stelle Ihres Kurses nimmt keine Aktivitäten auf. Fügen Sie eine als Kursinhalt oder als Aufgabe hinzu.",

  // welcome
  welcome_title: "Willkommen",
  welcome_name: "Willkommen, {name}",
  welcome: "Sie sind angemeldet, aber Ihre Rolle in diesem Kurs öffnet hier nichts.",
  welcome_course: "Sie sind angemeldet, aber Ihre Rolle in „{course}“ öffnet hier nichts.",
  roles_received: "Ihr Kurs hat für Sie diese Rollen gesendet:",
  roles_none: "Ihr Kurs hat für Sie keine Rolle gesendet.",
  whom_to_ask:
    "Wenn Sie etwas anderes erwartet haben, bitten Sie die Lehrkraft des Kurses, Ihre Rolle zu prüfen, " +
    "oder die Menschen, die Ihre Lernplattform betreuen.",
  details: "Angaben für sie",
  platform: "Lernplattform",
  client: "Client-ID",
  deployment: "Stelle (Deployment)",
  launch: "Aufruf",
  received_roles: "Rollen",
  received_parameters: "Eigene Parameter",
  received_context: "Kurs",
  nothing: "keine",
  rule_none:
    "Keine Landeregel dieses Tools nennt eine dieser Rollen oder Parameter. Wer das Tool betreibt, sieht hiermit den Grund und kann eine hinzufügen:",
  rule_matched:
    "Die Landeregel „{rule}“ gibt {privileges}, und das öffnet hier nichts. Wer das Tool betreibt, sieht hiermit den Grund:",
  role_in_course: "{role} (im Kurs)",
  role_in_institution: "{role} (in der Einrichtung)",
  role_in_system: "{role} (im System)",

  // why a mark is where it is
  why_waiting:
    "Die Lernplattform nimmt die Bewertung gerade nicht an. Sie ist aufbewahrt und wird von selbst noch einmal gesendet.",
  why_not_sent: "Diese Bewertung bleibt hier: Zu dem Link gehört keine Spalte im Notenbuch.",
  why_refused: "Die Lernplattform hat die Bewertung abgelehnt.",
  why_line_item_gone:
    "Die Spalte im Notenbuch gibt es nicht mehr. Sobald sie wieder da ist, kann die Bewertung erneut gesendet werden.",
  why_column_locked:
    "Die Spalte im Notenbuch nimmt zurzeit keine Bewertungen an. Sobald eine Lehrkraft sie öffnet, kann erneut gesendet werden.",
  why_course_ended:
    "Der Kurs ist beendet oder entfernt. Sein Notenbuch nimmt erst wieder Bewertungen an, wenn er offen ist.",
  why_user_not_gradable:
    "Die Lernplattform nimmt für diese Person in diesem Kurs keine Bewertung an. Nur wer dort aktiv lernt, kann eine bekommen.",
  why_no_attempts_left: "Die Lernplattform erlaubt keinen weiteren Versuch. Eine Lehrkraft kann dort einen erlauben.",
  why_above_maximum:
    "Die Lernplattform nimmt keine Bewertung über dem Höchstwert an. Eine Lehrkraft kann sie dort von Hand eintragen.",
  why_not_allowed:
    "Die Lernplattform lässt dieses Tool keine Bewertungen eintragen. Wer sie verwaltet, kann das erlauben.",
  why_scope_refused:
    "Die Lernplattform lässt dieses Tool keine Bewertungen eintragen. Wer sie verwaltet, kann das erlauben.",
  why_result_scope_refused:
    "Die Lernplattform lässt dieses Tool keine Bewertungen lesen; ob eine Lehrkraft diese geändert hat, ist nicht zu sehen. Wer sie verwaltet, kann das erlauben.",
  why_token_refused:
    "Die Lernplattform erkennt den Schlüssel dieses Tools nicht an. Wer sie verwaltet, kann die Adresse der Schlüssel vergleichen.",
  why_key_not_known_yet:
    "Die Lernplattform erkennt den Schlüssel dieses Tools zurzeit nicht an. Die Bewertung ist aufbewahrt und wird von selbst wieder gesendet. Dauert es an, kann, wer die Plattform verwaltet, die Adresse der Schlüssel vergleichen.",
  why_platform_disabled:
    "Die Registrierung des Tools bei der Lernplattform ist abgeschaltet. Wer das Tool betreibt, kann sie einschalten.",
  why_unknown_platform:
    "Die Lernplattform ist bei diesem Tool nicht mehr registriert. Wer das Tool betreibt, kann sie wieder registrieren.",
  why_forbidden_address:
    "Die Adresse des Notenbuchs darf das Tool nicht aufrufen. Wer die Lernplattform verwaltet, kann sie richtigstellen.",
  why_answer_unreadable:
    "Die Lernplattform hat etwas geantwortet, das das Tool nicht lesen kann. Wer sie verwaltet, kann dem nachgehen.",
  why_line_item_unknown:
    "Das Tool kennt das Notenbuch dieses Links noch nicht. Sobald eine Lehrkraft den Link geöffnet hat, kann erneut gesendet werden.",
  why_changed_in_lms:
    "Die Bewertung wurde im Notenbuch von Hand geändert und bleibt deshalb, wie sie ist. Eine Lehrkraft entscheidet, welche gilt.",
  why_preview_user: "Diese Bewertung bleibt hier: Sie gehört zu einer Vorschau der Aktivität.",
  why_not_final_yet:
    "Die Bewertung steht noch nicht fest, und diese Lernplattform behält nur endgültige. Sie wird gesendet, sobald sie feststeht.",
  why_rate_limited:
    "Die Lernplattform ist ausgelastet und hat das Tool gebeten zu warten. Die Bewertung ist aufbewahrt und wird von selbst gesendet.",
  why_superseded: "Eine neuere Bewertung von anderswo ist an ihre Stelle getreten.",
};
