/** French. The causes at the end are what the API says in English; see `explanation` in tool.js. */
export const words = {
  // anywhere
  waiting: "Un instant…",
  late: "Cela prend plus de temps que prévu. Si rien ne se passe, ouvrez de nouveau cette page depuis votre cours.",
  reopen_title: "Ouvrez de nouveau cette activité depuis votre cours",
  reopen: "Cette page ne fonctionne que si elle est ouverte depuis là.",
  reopen_ended: "Cette visite est terminée, comme toutes au bout de quelques heures.",
  network_title: "Pas de connexion",
  network: "Le serveur est injoignable. Vérifiez votre connexion, puis réessayez.",
  server_title: "Un problème est survenu de notre côté",
  server: "Réessayer dans un instant peut suffire.",
  refused_title: "Cela n’a pas fonctionné",
  support: "Si vous demandez de l’aide, mentionnez ceci :",
  code: "code d’erreur {code}",
  support_id: "identifiant d’assistance {id}",
  retry: "Réessayer",

  // activity
  question_of: "Question {number} sur {total}",
  points: { one: "{n} point", other: "{n} points" },
  choose_all: "choisissez toutes les bonnes réponses",
  read_as: "Compris comme {quantity}.",
  not_a_number: "Écrivez ici un nombre, par exemple 12,5.",
  answered: "{done} sur {total} avec réponse",
  submit: "Remettre",
  submitting: "Remise en cours…",
  unanswered: { one: "{n} question est encore sans réponse", other: "{n} questions sont encore sans réponse" },
  unanswered_advice: "Vous pouvez y revenir ou remettre votre travail tel quel.",
  submit_anyway: "Remettre quand même",
  keep_answering: "Continuer à répondre",
  result: "Votre résultat",
  mark: "Vous avez {given} sur {maximum}",
  handed_in: "Remis : {when}",
  try_again: "Recommencer",
  preview: "Aperçu",
  preview_advice: "Voici ce que voient les apprenants. Rien ne peut être répondu ni enregistré ici.",
  back_to_marks: "Retour aux notes",
  not_chosen_title: "Rien ici pour l’instant",
  not_chosen: "Votre enseignant(e) n’a pas encore choisi d’activité pour ce lien.",
  look_again: "Vérifier de nouveau",

  // where a mark is, as the learner reads it
  own_waiting: "Votre note est en route vers le carnet de notes de votre enseignant(e).",
  own_sent: "Votre note est dans le carnet de notes de votre enseignant(e).",
  own_refused: "Votre note est en sécurité ici, mais le carnet de notes de votre enseignant(e) ne l’a pas acceptée.",
  own_not_sent: "Votre note est conservée ici et n’a été envoyée à aucun carnet de notes.",
  own_held:
    "Votre note est conservée ici. Elle a été modifiée dans le carnet de notes, et c’est celle-là qui y compte.",
  own_superseded: "Une note plus récente a pris sa place.",
  own_slow: "Cela prend plus de temps que d’habitude. Vous pouvez quitter cette page : la note part sans vous.",

  // where a mark is, as staff read it
  state_waiting: "En route",
  state_sent: "Dans le carnet de notes",
  state_refused: "Non acceptée",
  state_not_sent: "Non envoyée",
  state_held: "Modifiée dans le carnet",
  state_superseded: "Remplacée par une plus récente",
  state_count: "{state} : {n}",
  tried: { one: "{n} essai", many: "{n} essais", other: "{n} essais" },
  last_try: "le dernier, {when}",
  next_try: "prochain essai {when}",

  // marks
  marks_title: "Notes",
  marks_of: "Notes : {title}",
  learner: "Nom",
  mark_column: "Note",
  handed_in_column: "Remise",
  gradebook_column: "Carnet de notes",
  mark_of: "{given} sur {maximum}",
  handed_in_count: { one: "{n} personne a remis son travail", other: "{n} personnes ont remis leur travail" },
  nobody: "Personne n’a encore remis son travail",
  nobody_advice: "Chaque personne apparaît ici dès qu’elle remet son travail.",
  refresh: "Actualiser",
  refreshed: "À jour à {when}",
  preview_questions: "Aperçu des questions",
  open_external: "Ouvrir « {title} »",
  choose_title: "Choisissez une activité pour ce lien",
  choose_advice: "Les personnes qui ouvrent ce lien reçoivent l’activité que vous choisissez.",
  choose: "Utiliser cette activité",
  choose_other: "Choisir une autre activité",
  back: "Retour",
  part_deliver: "Mise à disposition",
  part_monitor: "Suivi",
  part_grade: "Notation",
  part_report: "Rapport",
  delivered: "Qui ouvre ce lien reçoit :",
  course_link: "Adresse pour un autre lien dans un cours :",
  named_by_link:
    "Le lien lui-même nomme cette activité. Pour en utiliser une autre, placez un autre lien dans le cours.",
  not_chosen_staff: "Personne n’a encore choisi d’activité pour ce lien. Qui enseigne dans le cours peut le faire ici.",
  begun: "commencé {when}",
  begun_column: "Commencé",
  begun_count: { one: "{n} personne a seulement commencé", other: "{n} personnes ont seulement commencé" },
  find_learner: "Chercher une personne",
  all_states: "Tous",
  shown: "{n} sur {total} affichées",
  resend: "Renvoyer",
  resend_name: "Renvoyer : {name}",
  resend_all: { one: "Renvoyer {n} note", other: "Renvoyer {n} notes" },
  resent: { one: "{n} note est de nouveau en route", other: "{n} notes sont de nouveau en route" },
  download: "Télécharger en CSV",
  report_handed_in: "Remis",
  report_mean: "Moyenne",
  report_highest: "La plus haute",
  report_lowest: "La plus basse",

  // the catalogue
  search: "Rechercher des activités",
  activities: "Activités",
  found: { one: "{n} activité", other: "{n} activités" },
  found_more: "Les {n} premières activités",
  found_none: "Aucune activité ne correspond à « {query} ».",
  catalogue_empty: "Il n’y a pas encore d’activité.",
  more: "Afficher la suite",
  questions: { one: "{n} question", other: "{n} questions" },
  external: "s’ouvre dans l’application de son fournisseur",
  adds_column: {
    one: "ajoute au carnet de notes une colonne de {n} point",
    other: "ajoute au carnet de notes une colonne de {n} points",
  },

  // picker
  picker_title_one: "Choisissez une activité",
  picker_title_many: "Choisissez des activités",
  picker_into: "Elle fera partie de « {course} ».",
  picker_into_many: "Elles feront partie de « {course} ».",
  chosen: { one: "{n} choisie : {titles}", other: "{n} choisies : {titles}" },
  chosen_none: "Rien de choisi pour l’instant",
  add: "Ajouter au cours",
  cancel: "Annuler",
  wrong_place_title: "Les activités n’ont pas leur place ici",
  wrong_place:
    "Cet endroit de votre cours n’accepte pas d’activité. Ajoutez-en une comme contenu du cours ou comme devoir.",

  // welcome
  welcome_title: "Bienvenue",
  welcome_name: "Bienvenue, {name}",
  welcome: "Vous êtes bien connecté(e), mais votre rôle dans ce cours n’ouvre rien ici.",
  welcome_course: "Vous êtes bien connecté(e), mais votre rôle dans « {course} » n’ouvre rien ici.",
  roles_received: "Votre cours a envoyé ces rôles pour vous :",
  roles_none: "Votre cours n’a envoyé aucun rôle pour vous.",
  whom_to_ask:
    "Si vous attendiez autre chose, demandez à l’enseignant(e) du cours de vérifier votre rôle, " +
    "ou aux personnes qui s’occupent de votre plateforme d’apprentissage.",
  details: "Détails à leur transmettre",
  platform: "Plateforme",
  client: "Identifiant client",
  deployment: "Endroit (deployment)",
  launch: "Lancement",
  received_roles: "Rôles",
  received_parameters: "Paramètres personnalisés",
  received_context: "Cours",
  nothing: "aucun",
  rule_none:
    "Aucune règle de destination de cet outil ne nomme ces rôles ou paramètres. Qui exploite l’outil en voit ainsi la raison et peut en ajouter une :",
  rule_matched:
    "La règle de destination « {rule} » donne {privileges}, ce qui n’ouvre rien ici. Qui exploite l’outil en voit ainsi la raison :",
  role_in_course: "{role} (dans le cours)",
  role_in_institution: "{role} (dans l’établissement)",
  role_in_system: "{role} (dans le système)",

  // why a mark is where it is
  why_waiting:
    "La plateforme d’apprentissage n’accepte pas la note pour le moment. Elle est conservée et repartira toute seule.",
  why_not_sent: "Cette note reste ici : le lien n’a pas de colonne dans le carnet de notes.",
  why_refused: "La plateforme d’apprentissage a refusé la note.",
  why_line_item_gone:
    "La colonne du carnet de notes n’existe plus. La note pourra être renvoyée quand la colonne sera de retour.",
  why_column_locked:
    "La colonne du carnet de notes n’accepte pas de note pour le moment. La note pourra être renvoyée quand un enseignant l’aura ouverte.",
  why_course_ended: "Le cours est terminé ou supprimé. Son carnet n’accepte une note que si le cours est rouvert.",
  why_user_not_gradable:
    "La plateforme d’apprentissage n’accepte pas de note pour cette personne dans ce cours. Seule une personne inscrite et active peut en recevoir une.",
  why_no_attempts_left:
    "La plateforme d’apprentissage n’autorise plus de tentative. Un enseignant peut y en autoriser une.",
  why_above_maximum:
    "La plateforme d’apprentissage n’accepte pas de note au-dessus du maximum. Un enseignant peut l’y saisir à la main.",
  why_not_allowed:
    "La plateforme d’apprentissage ne laisse pas cet outil écrire des notes. Son administrateur peut l’autoriser.",
  why_scope_refused:
    "La plateforme d’apprentissage ne laisse pas cet outil écrire des notes. Son administrateur peut l’autoriser.",
  why_result_scope_refused:
    "La plateforme d’apprentissage ne laisse pas cet outil lire des notes : il ne peut pas voir si un enseignant a modifié celle-ci. Son administrateur peut l’autoriser.",
  why_token_refused:
    "La plateforme d’apprentissage ne reconnaît pas la clé de cet outil. Son administrateur peut comparer l’adresse des clés.",
  why_key_not_known_yet:
    "La plateforme d’apprentissage ne reconnaît pas la clé de cet outil pour le moment. La note est conservée et sera renvoyée d’elle-même. Si cela dure, son administrateur peut comparer l’adresse des clés.",
  why_platform_disabled:
    "L’enregistrement de l’outil auprès de la plateforme d’apprentissage est désactivé. L’exploitant de l’outil peut l’activer.",
  why_unknown_platform:
    "La plateforme d’apprentissage n’est plus enregistrée auprès de cet outil. L’exploitant de l’outil peut l’enregistrer à nouveau.",
  why_forbidden_address:
    "L’outil n’a pas le droit d’appeler l’adresse du carnet de notes. L’administrateur de la plateforme peut la corriger.",
  why_answer_unreadable:
    "La plateforme d’apprentissage a répondu quelque chose que l’outil ne sait pas lire. Son administrateur peut l’examiner.",
  why_line_item_unknown:
    "L’outil ne connaît pas encore le carnet de notes de ce lien. La note pourra être renvoyée quand un enseignant aura ouvert le lien.",
  why_changed_in_lms:
    "La note a été modifiée à la main dans le carnet ; elle reste donc telle quelle. Un enseignant décide laquelle compte.",
  why_preview_user: "Cette note reste ici : elle vient d’un aperçu de l’activité.",
  why_not_final_yet:
    "La note n’est pas encore définitive, et cette plateforme ne garde que des notes définitives. Elle sera envoyée dès qu’elle le sera.",
  why_rate_limited:
    "La plateforme d’apprentissage est occupée et a demandé à l’outil d’attendre. La note est conservée et sera envoyée d’elle-même.",
  why_superseded: "Une note plus récente, venue d’ailleurs, a pris sa place.",
};
