/**
 * Every sentence that a person reads on the pages, in English; each language has a file with the same keys.
 *
 * `{name}` is filled in; of `{one, other, ...}` the form is chosen that the language's plural rules want for `n`.
 */
export const words = {
  // anywhere
  waiting: "One moment …",
  late: "This takes longer than it should. If nothing happens, open this page again from your course.",
  reopen_title: "Open this activity again from your course",
  reopen: "This page works only when it is opened from there.",
  reopen_ended: "This visit has ended, as each does after some hours.",
  network_title: "No connection",
  network: "The server could not be reached. Check your connection, then try once more.",
  server_title: "Something went wrong on our side",
  server: "It may help to try once more in a moment.",
  refused_title: "This did not work",
  support: "If you ask for help, mention this:",
  code: "code {code}",
  support_id: "support id {id}",
  retry: "Try once more",

  // activity
  question_of: "Question {number} of {total}",
  points: { one: "{n} point", other: "{n} points" },
  choose_all: "choose all that apply",
  read_as: "Read as {quantity}.",
  not_a_number: "Write a number here, such as 12.5.",
  answered: "{done} of {total} answered",
  submit: "Submit",
  submitting: "Submitting …",
  unanswered: { one: "{n} question has no answer yet", other: "{n} questions have no answer yet" },
  unanswered_advice: "You can go back to it, or submit as it is.",
  submit_anyway: "Submit anyway",
  keep_answering: "Keep answering",
  result: "Your result",
  mark: "You have {given} of {maximum}",
  handed_in: "Handed in {when}",
  try_again: "Try again",
  preview: "Preview",
  preview_advice: "This is what learners see. Nothing can be answered or recorded here.",
  back_to_marks: "Back to the marks",
  not_chosen_title: "Nothing here yet",
  not_chosen: "Your teacher has not chosen an activity for this link yet.",
  look_again: "Look again",

  // where a mark is, as the learner reads it
  own_waiting: "Your mark is on its way to your teacher's gradebook.",
  own_sent: "Your teacher's gradebook has it.",
  own_refused: "Your mark is safe here, but your teacher's gradebook did not take it.",
  own_not_sent: "Your mark is kept here and was not sent to a gradebook.",
  own_slow: "This takes longer than usual. You can leave this page: the mark is sent without you.",

  // where a mark is, as staff read it
  state_waiting: "On its way",
  state_sent: "In the gradebook",
  state_refused: "Not accepted",
  state_not_sent: "Not sent",
  state_count: "{state}: {n}",

  // marks
  marks_title: "Marks",
  marks_of: "Marks: {title}",
  learner: "Learner",
  mark_column: "Mark",
  handed_in_column: "Handed in",
  gradebook_column: "Gradebook",
  mark_of: "{given} of {maximum}",
  handed_in_count: { one: "{n} learner has handed in", other: "{n} learners have handed in" },
  nobody: "No one has handed in yet",
  nobody_advice: "Each learner appears here as soon as they submit.",
  refresh: "Refresh",
  refreshed: "Up to date at {when}",
  preview_questions: "Preview the questions",
  open_external: "Open “{title}”",
  choose_title: "Choose an activity for this link",
  choose_advice: "Learners who open this link get the activity that you choose.",
  choose: "Use this activity",
  choose_other: "Choose another activity",
  back: "Back",

  // the catalogue
  search: "Search activities",
  activities: "Activities",
  found: { one: "{n} activity", other: "{n} activities" },
  found_more: "The first {n} activities",
  found_none: "No activity matches “{query}”.",
  catalogue_empty: "There are no activities yet.",
  more: "Show more",
  questions: { one: "{n} question", other: "{n} questions" },
  external: "opens in its provider's own app",
  adds_column: { one: "adds a gradebook column of {n} point", other: "adds a gradebook column of {n} points" },

  // picker
  picker_title_one: "Choose an activity",
  picker_title_many: "Choose activities",
  picker_into: "It becomes part of “{course}”.",
  picker_into_many: "They become part of “{course}”.",
  chosen: { one: "{n} chosen: {titles}", other: "{n} chosen: {titles}" },
  chosen_none: "Nothing chosen yet",
  add: "Add to course",
  cancel: "Cancel",
  wrong_place_title: "Activities do not fit here",
  wrong_place: "This place in your course takes no activities. Try to add one as course content or as an assignment.",

  // welcome
  welcome_title: "Welcome",
  welcome_name: "Welcome, {name}",
  welcome: "You are signed in, but your role in this course does not open anything here.",
  welcome_course: "You are signed in, but your role in “{course}” does not open anything here.",
  roles_received: "Your course sent these roles for you:",
  roles_none: "Your course sent no role for you.",
  whom_to_ask:
    "If you expected something else, ask the teacher of the course to check your role, " +
    "or those who look after your learning platform.",
  details: "Details for them",
  platform: "Platform",
  client: "Client id",
  deployment: "Deployment",
  launch: "Launch",
  role_in_course: "{role} (in the course)",
  role_in_institution: "{role} (in the institution)",
  role_in_system: "{role} (in the system)",
};
