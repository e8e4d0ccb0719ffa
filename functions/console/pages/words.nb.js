/** Norwegian Bokmål. The causes at the end are what the API says in English; see `explanation` in tool.js. */
export const words = {
  // anywhere
  waiting: "Et øyeblikk …",
  late: "Dette tar lengre tid enn det skal. Hvis ingenting skjer, åpner du siden på nytt fra kurset ditt.",
  reopen_title: "Åpne denne aktiviteten på nytt fra kurset ditt",
  reopen: "Denne siden virker bare når den åpnes derfra.",
  reopen_ended: "Dette besøket er over. Det skjer alltid etter noen timer.",
  network_title: "Ingen forbindelse",
  network: "Fikk ikke kontakt med serveren. Sjekk forbindelsen din, og prøv en gang til.",
  server_title: "Noe gikk galt hos oss",
  server: "Det kan hjelpe å prøve igjen om et øyeblikk.",
  refused_title: "Dette gikk ikke",
  support: "Oppgi dette hvis du ber om hjelp:",
  code: "feilkode {code}",
  support_id: "støtte-ID {id}",
  retry: "Prøv en gang til",

  // activity
  question_of: "Spørsmål {number} av {total}",
  points: { one: "{n} poeng", other: "{n} poeng" },
  choose_all: "velg alle som passer",
  read_as: "Leses som {quantity}.",
  not_a_number: "Skriv et tall her, for eksempel 12,5.",
  answered: "{done} av {total} besvart",
  submit: "Lever",
  submitting: "Leverer …",
  unanswered: { one: "{n} spørsmål mangler svar", other: "{n} spørsmål mangler svar" },
  unanswered_advice: "Du kan gå tilbake til det som mangler, eller levere slik det er.",
  submit_anyway: "Lever likevel",
  keep_answering: "Fortsett å svare",
  result: "Resultatet ditt",
  mark: "Du fikk {given} av {maximum}",
  handed_in: "Levert {when}",
  try_again: "Prøv på nytt",
  preview: "Forhåndsvisning",
  preview_advice: "Dette er det elevene og studentene ser. Ingenting kan besvares eller lagres her.",
  back_to_marks: "Tilbake til vurderingene",
  not_chosen_title: "Ingenting her ennå",
  not_chosen: "Læreren din har ikke valgt noen aktivitet for denne lenken ennå.",
  look_again: "Se etter på nytt",

  // where a mark is, as the learner reads it
  own_waiting: "Vurderingen din er på vei til karakterboken til læreren din.",
  own_sent: "Vurderingen din er i karakterboken til læreren din.",
  own_refused: "Vurderingen din er trygg her, men karakterboken til læreren din tok den ikke imot.",
  own_not_sent: "Vurderingen din er lagret her og er ikke sendt til noen karakterbok.",
  own_held: "Vurderingen din er trygg her. Den ble endret i karakterboken til læreren din, og den endrede gjelder der.",
  own_superseded: "En nyere vurdering har tatt plassen.",
  own_slow: "Dette tar lengre tid enn vanlig. Du kan forlate siden: Vurderingen blir sendt uten deg.",

  // where a mark is, as staff read it
  state_waiting: "På vei",
  state_sent: "I karakterboken",
  state_refused: "Ikke godtatt",
  state_not_sent: "Ikke sendt",
  state_held: "Endret i karakterboken",
  state_superseded: "Erstattet av en nyere",
  state_count: "{state}: {n}",
  tried: { one: "prøvd {n} gang", other: "prøvd {n} ganger" },
  last_try: "sist {when}",
  next_try: "neste forsøk {when}",

  // marks
  marks_title: "Vurderinger",
  marks_of: "Vurderinger: {title}",
  learner: "Navn",
  mark_column: "Poeng",
  handed_in_column: "Levert",
  gradebook_column: "Karakterbok",
  mark_of: "{given} av {maximum}",
  handed_in_count: { one: "{n} person har levert", other: "{n} personer har levert" },
  nobody: "Ingen har levert ennå",
  nobody_advice: "Alle dukker opp her så snart de leverer.",
  refresh: "Oppdater",
  refreshed: "Oppdatert {when}",
  preview_questions: "Forhåndsvis spørsmålene",
  open_external: "Åpne «{title}»",
  choose_title: "Velg en aktivitet for denne lenken",
  choose_advice: "De som åpner denne lenken, får aktiviteten du velger.",
  choose: "Bruk denne aktiviteten",
  choose_other: "Velg en annen aktivitet",
  back: "Tilbake",
  part_deliver: "Gjennomføring",
  part_monitor: "Oppfølging",
  part_grade: "Vurdering",
  part_report: "Rapport",
  delivered: "Den som åpner denne lenken, får:",
  course_link: "Adresse til en annen lenke i et kurs:",
  named_by_link: "Lenken nevner selv denne aktiviteten. Vil du bruke en annen, legger du en annen lenke i kurset.",
  not_chosen_staff: "Ingen har valgt en aktivitet for denne lenken ennå. En lærer i kurset kan gjøre det her.",
  begun: "begynte {when}",
  begun_column: "Begynte",
  begun_count: { one: "{n} person har bare begynt", other: "{n} personer har bare begynt" },
  find_learner: "Finn en person",
  all_states: "Alle",
  shown: "Viser {n} av {total}",
  resend: "Send på nytt",
  resend_name: "Send på nytt: {name}",
  resend_all: { one: "Send {n} vurdering på nytt", other: "Send {n} vurderinger på nytt" },
  resent: { one: "{n} vurdering er på vei igjen", other: "{n} vurderinger er på vei igjen" },
  download: "Last ned som CSV",
  report_handed_in: "Levert",
  report_mean: "Gjennomsnitt",
  report_highest: "Høyeste",
  report_lowest: "Laveste",

  // the catalogue
  search: "Søk etter aktiviteter",
  activities: "Aktiviteter",
  found: { one: "{n} aktivitet", other: "{n} aktiviteter" },
  found_more: "De første {n} aktivitetene",
  found_none: "Ingen aktivitet passer til «{query}».",
  catalogue_empty: "Det finnes ingen aktiviteter ennå.",
  more: "Vis flere",
  questions: { one: "{n} spørsmål", other: "{n} spørsmål" },
  external: "åpnes i leverandørens egen app",
  adds_column: {
    one: "legger til en kolonne med {n} poeng i karakterboken",
    other: "legger til en kolonne med {n} poeng i karakterboken",
  },

  // picker
  picker_title_one: "Velg en aktivitet",
  picker_title_many: "Velg aktiviteter",
  picker_into: "Den blir en del av «{course}».",
  picker_into_many: "De blir en del av «{course}».",
  chosen: { one: "{n} valgt: {titles}", other: "{n} valgt: {titles}" },
  chosen_none: "Ingenting er valgt ennå",
  add: "Legg til i kurset",
  cancel: "Avbryt",
  wrong_place_title: "Aktiviteter passer ikke her",
  wrong_place:
    "Dette stedet i kurset ditt tar ikke imot aktiviteter. Prøv å legge til en som kursinnhold eller som oppgave.",

  // welcome
  welcome_title: "Velkommen",
  welcome_name: "Velkommen, {name}",
  welcome: "Du er logget inn, men rollen din i dette kurset åpner ingenting her.",
  welcome_course: "Du er logget inn, men rollen din i «{course}» åpner ingenting her.",
  roles_received: "Kurset ditt sendte disse rollene for deg:",
  roles_none: "Kurset ditt sendte ingen rolle for deg.",
  whom_to_ask:
    "Hvis du ventet noe annet, kan du be læreren i kurset om å sjekke rollen din, " +
    "eller spørre dem som har ansvar for læringsplattformen.",
  details: "Opplysninger til dem",
  platform: "Plattform",
  client: "Klient-ID",
  deployment: "Sted (deployment)",
  launch: "Oppstart",
  received_roles: "Roller",
  received_parameters: "Egendefinerte parametere",
  received_context: "Kurs",
  nothing: "ingen",
  rule_none:
    "Ingen landingsregel i dette verktøyet nevner disse rollene eller parameterne. De som drifter verktøyet, ser hvorfor og kan legge til en:",
  rule_matched:
    "Landingsregelen «{rule}» gir {privileges}, og det åpner ingenting her. De som drifter verktøyet, ser hvorfor:",
  role_in_course: "{role} (i kurset)",
  role_in_institution: "{role} (i institusjonen)",
  role_in_system: "{role} (i systemet)",

  // why a mark is where it is
  why_waiting:
    "Læringsplattformen tar ikke imot vurderingen akkurat nå. Den er tatt vare på og blir sendt på nytt av seg selv.",
  why_not_sent: "Denne vurderingen blir her: Lenken har ingen kolonne i karakterboken.",
  why_refused: "Læringsplattformen avviste vurderingen.",
  why_line_item_gone:
    "Kolonnen i karakterboken finnes ikke lenger. Vurderingen kan sendes på nytt når kolonnen er tilbake.",
  why_column_locked:
    "Kolonnen i karakterboken tar ikke imot vurderinger nå. Den kan sendes på nytt når en lærer har åpnet kolonnen.",
  why_course_ended:
    "Kurset er avsluttet eller fjernet. Karakterboken tar først imot en vurdering når kurset er åpent igjen.",
  why_user_not_gradable:
    "Læringsplattformen tar ikke imot vurdering av denne personen i dette kurset. Bare den som er aktiv deltaker der, kan få en.",
  why_no_attempts_left: "Læringsplattformen tillater ikke flere forsøk. En lærer kan gi et nytt forsøk der.",
  why_above_maximum:
    "Læringsplattformen tar ikke imot en vurdering over maksimum. En lærer kan føre den inn der for hånd.",
  why_not_allowed:
    "Læringsplattformen lar ikke dette verktøyet skrive inn vurderinger. Den som administrerer den, kan tillate det.",
  why_scope_refused:
    "Læringsplattformen lar ikke dette verktøyet skrive inn vurderinger. Den som administrerer den, kan tillate det.",
  why_result_scope_refused:
    "Læringsplattformen lar ikke dette verktøyet lese vurderinger, så det kan ikke se om en lærer har endret denne. Den som administrerer den, kan tillate det.",
  why_token_refused:
    "Læringsplattformen godkjenner ikke nøkkelen til dette verktøyet. Den som administrerer den, kan sammenligne adressen til nøklene.",
  why_key_not_known_yet:
    "Læringsplattformen godkjenner ikke nøkkelen til dette verktøyet akkurat nå. Vurderingen er tatt vare på og sendes på nytt av seg selv. Varer det ved, kan den som administrerer plattformen, sammenligne adressen til nøklene.",
  why_platform_disabled:
    "Registreringen av verktøyet hos læringsplattformen er slått av. Den som drifter verktøyet, kan slå den på.",
  why_unknown_platform:
    "Læringsplattformen er ikke lenger registrert hos dette verktøyet. Den som drifter verktøyet, kan registrere den igjen.",
  why_forbidden_address:
    "Verktøyet kan ikke kalle adressen til karakterboken. Den som administrerer læringsplattformen, kan rette den.",
  why_answer_unreadable:
    "Læringsplattformen svarte noe som verktøyet ikke kan lese. Den som administrerer den, kan se på det.",
  why_line_item_unknown:
    "Verktøyet kjenner ikke karakterboken til denne lenken ennå. Den kan sendes på nytt når en lærer har åpnet lenken.",
  why_changed_in_lms:
    "Vurderingen ble endret for hånd i karakterboken og blir derfor stående. En lærer avgjør hvilken som gjelder.",
  why_preview_user: "Denne vurderingen blir her: Den hører til en forhåndsvisning av aktiviteten.",
  why_not_final_yet:
    "Vurderingen er ikke endelig ennå, og denne læringsplattformen beholder bare endelige. Den sendes så snart den er endelig.",
  why_rate_limited:
    "Læringsplattformen er opptatt og ba verktøyet vente. Vurderingen er tatt vare på og sendes av seg selv.",
  why_superseded: "En nyere vurdering fra et annet sted har tatt plassen.",
};
