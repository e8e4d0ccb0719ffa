/** Spanish. The causes at the end are what the API says in English; see `explanation` in tool.js. */
export const words = {
  // anywhere
  waiting: "Un momento…",
  late: "Esto tarda más de lo debido. Si no pasa nada, vuelve a abrir esta página desde tu curso.",
  reopen_title: "Vuelve a abrir esta actividad desde tu curso",
  reopen: "Esta página solo funciona cuando se abre desde allí.",
  reopen_ended: "Esta visita ha terminado, como todas al cabo de unas horas.",
  network_title: "Sin conexión",
  network: "No se pudo contactar con el servidor. Comprueba tu conexión y vuelve a intentarlo.",
  server_title: "Algo ha fallado por nuestra parte",
  server: "Quizá ayude volver a intentarlo dentro de un momento.",
  refused_title: "No ha funcionado",
  support: "Si pides ayuda, menciona esto:",
  code: "código {code}",
  support_id: "identificador de soporte {id}",
  retry: "Volver a intentarlo",

  // activity
  question_of: "Pregunta {number} de {total}",
  points: { one: "{n} punto", other: "{n} puntos" },
  choose_all: "elige todas las correctas",
  read_as: "Se lee como {quantity}.",
  not_a_number: "Escribe aquí un número, por ejemplo 12,5.",
  answered: "{done} de {total} respondidas",
  submit: "Entregar",
  submitting: "Entregando…",
  unanswered: { one: "{n} pregunta sigue sin respuesta", other: "{n} preguntas siguen sin respuesta" },
  unanswered_advice: "Puedes volver a lo que falta o entregar así.",
  submit_anyway: "Entregar de todos modos",
  keep_answering: "Seguir respondiendo",
  result: "Tu resultado",
  mark: "Tienes {given} de {maximum}",
  handed_in: "Entrega: {when}",
  try_again: "Intentarlo de nuevo",
  preview: "Vista previa",
  preview_advice: "Esto es lo que ve el alumnado. Aquí no se puede responder ni guardar nada.",
  back_to_marks: "Volver a las calificaciones",
  not_chosen_title: "Aquí no hay nada todavía",
  not_chosen: "Tu docente aún no ha elegido ninguna actividad para este enlace.",
  look_again: "Volver a mirar",

  // where a mark is, as the learner reads it
  own_waiting: "Tu calificación va camino del libro de calificaciones de tu docente.",
  own_sent: "Tu calificación ya está en el libro de calificaciones de tu docente.",
  own_refused: "Tu calificación está a salvo aquí, pero el libro de calificaciones de tu docente no la ha aceptado.",
  own_not_sent: "Tu calificación se guarda aquí y no se ha enviado a ningún libro de calificaciones.",
  own_held:
    "Tu calificación está a salvo aquí. En el libro de calificaciones se cambió a mano, y allí vale la cambiada.",
  own_superseded: "Una calificación más reciente ocupó su lugar.",
  own_slow: "Esto tarda más de lo habitual. Puedes salir de esta página: la calificación se envía sin ti.",

  // where a mark is, as staff read it
  state_waiting: "En camino",
  state_sent: "En el libro de calificaciones",
  state_refused: "No aceptada",
  state_not_sent: "No enviada",
  state_held: "Cambiada en el libro",
  state_superseded: "Sustituida por una más reciente",
  state_count: "{state}: {n}",
  tried: { one: "{n} intento", other: "{n} intentos" },
  last_try: "el último, {when}",
  next_try: "próximo intento {when}",

  // marks
  marks_title: "Calificaciones",
  marks_of: "Calificaciones: {title}",
  learner: "Nombre",
  mark_column: "Calificación",
  handed_in_column: "Entrega",
  gradebook_column: "Libro de calificaciones",
  mark_of: "{given} de {maximum}",
  handed_in_count: { one: "{n} persona ha entregado", other: "{n} personas han entregado" },
  nobody: "Nadie ha entregado todavía",
  nobody_advice: "Cada persona aparece aquí en cuanto entrega.",
  refresh: "Actualizar",
  refreshed: "Actualizado a las {when}",
  preview_questions: "Vista previa de las preguntas",
  open_external: "Abrir «{title}»",
  choose_title: "Elige una actividad para este enlace",
  choose_advice: "Quien abra este enlace verá la actividad que elijas.",
  choose: "Usar esta actividad",
  choose_other: "Elegir otra actividad",
  back: "Volver",
  part_deliver: "Preparar",
  part_monitor: "Supervisar",
  part_grade: "Calificar",
  part_report: "Informe",
  delivered: "Quien abre este enlace recibe:",
  course_link: "Dirección para otro enlace en un curso:",
  named_by_link: "El propio enlace indica esta actividad. Para usar otra, pon otro enlace en el curso.",
  not_chosen_staff: "Nadie ha elegido todavía una actividad para este enlace. Quien da el curso puede hacerlo aquí.",
  begun: "empezó {when}",
  begun_column: "Empezó",
  begun_count: { one: "{n} persona solo ha empezado", other: "{n} personas solo han empezado" },
  find_learner: "Buscar a una persona",
  all_states: "Todos",
  shown: "{n} de {total} a la vista",
  resend: "Enviar de nuevo",
  resend_name: "Enviar de nuevo: {name}",
  resend_all: { one: "Enviar de nuevo {n} calificación", other: "Enviar de nuevo {n} calificaciones" },
  resent: { one: "{n} calificación va de nuevo en camino", other: "{n} calificaciones van de nuevo en camino" },
  download: "Descargar como CSV",
  report_handed_in: "Entregado",
  report_mean: "Media",
  report_highest: "Máxima",
  report_lowest: "Mínima",

  // the catalogue
  search: "Buscar actividades",
  activities: "Actividades",
  found: { one: "{n} actividad", other: "{n} actividades" },
  found_more: "Las primeras {n} actividades",
  found_none: "Ninguna actividad coincide con «{query}».",
  catalogue_empty: "Todavía no hay actividades.",
  more: "Mostrar más",
  questions: { one: "{n} pregunta", other: "{n} preguntas" },
  external: "se abre en la aplicación de su proveedor",
  adds_column: {
    one: "añade una columna de {n} punto al libro de calificaciones",
    other: "añade una columna de {n} puntos al libro de calificaciones",
  },

  // picker
  picker_title_one: "Elige una actividad",
  picker_title_many: "Elige actividades",
  picker_into: "Pasará a formar parte de «{course}».",
  picker_into_many: "Pasarán a formar parte de «{course}».",
  chosen: { one: "{n} elegida: {titles}", other: "{n} elegidas: {titles}" },
  chosen_none: "Aún no has elegido nada",
  add: "Añadir al curso",
  cancel: "Cancelar",
  wrong_place_title: "Aquí no caben actividades",
  wrong_place:
    "Este lugar de tu curso no admite actividades. Prueba a añadir una como contenido del curso o como tarea.",

  // welcome
  welcome_title: "Te damos la bienvenida",
  welcome_name: "Te damos la bienvenida, {name}",
  welcome: "Has iniciado sesión, pero tu rol en este curso no abre nada aquí.",
  welcome_course: "Has iniciado sesión, pero tu rol en «{course}» no abre nada aquí.",
  roles_received: "Tu curso envió estos roles para ti:",
  roles_none: "Tu curso no envió ningún rol para ti.",
  whom_to_ask:
    "Si esperabas otra cosa, pide a la persona que da el curso que revise tu rol, " +
    "o a quienes se ocupan de tu plataforma de aprendizaje.",
  details: "Datos para ellos",
  platform: "Plataforma",
  client: "Id de cliente",
  deployment: "Lugar (deployment)",
  launch: "Acceso",
  received_roles: "Roles",
  received_parameters: "Parámetros propios",
  received_context: "Curso",
  nothing: "ninguno",
  rule_none:
    "Ninguna regla de destino de esta herramienta nombra estos roles o parámetros. Quien opera la herramienta ve así el motivo y puede añadir una:",
  rule_matched:
    "La regla de destino «{rule}» da {privileges}, y eso no abre nada aquí. Quien opera la herramienta ve así el motivo:",
  role_in_course: "{role} (en el curso)",
  role_in_institution: "{role} (en la institución)",
  role_in_system: "{role} (en el sistema)",

  // why a mark is where it is
  why_waiting:
    "La plataforma de aprendizaje no acepta la calificación en este momento. Se conserva y se volverá a enviar sola.",
  why_not_sent: "Esta calificación se queda aquí: el enlace no tiene columna en el libro de calificaciones.",
  why_refused: "La plataforma de aprendizaje rechazó la calificación.",
  why_line_item_gone:
    "La columna del libro de calificaciones ya no existe. La calificación podrá reenviarse cuando la columna vuelva.",
  why_column_locked:
    "La columna del libro de calificaciones no admite calificaciones ahora. Podrá reenviarse cuando un docente la abra.",
  why_course_ended:
    "El curso ha terminado o se ha eliminado. Su libro solo admite una calificación si el curso vuelve a abrirse.",
  why_user_not_gradable:
    "La plataforma de aprendizaje no admite calificaciones para esta persona en este curso. Solo puede tenerla quien esté inscrito y activo.",
  why_no_attempts_left: "La plataforma de aprendizaje no permite más intentos. Un docente puede permitir uno allí.",
  why_above_maximum:
    "La plataforma de aprendizaje no admite una calificación por encima del máximo. Un docente puede escribirla allí a mano.",
  why_not_allowed:
    "La plataforma de aprendizaje no permite que esta herramienta escriba calificaciones. Su administrador puede permitirlo.",
  why_scope_refused:
    "La plataforma de aprendizaje no permite que esta herramienta escriba calificaciones. Su administrador puede permitirlo.",
  why_result_scope_refused:
    "La plataforma de aprendizaje no permite que esta herramienta lea calificaciones y no se puede ver si un docente cambió esta. Su administrador puede permitirlo.",
  why_token_refused:
    "La plataforma de aprendizaje no reconoce la clave de esta herramienta. Su administrador puede comparar la dirección de las claves.",
  why_key_not_known_yet:
    "La plataforma de aprendizaje no reconoce por ahora la clave de esta herramienta. La calificación se guarda y se volverá a enviar sola. Si esto dura, su administrador puede comparar la dirección de las claves.",
  why_platform_disabled:
    "El registro de la herramienta en la plataforma de aprendizaje está desactivado. Quien gestiona la herramienta puede activarlo.",
  why_unknown_platform:
    "La plataforma de aprendizaje ya no está registrada en esta herramienta. Quien gestiona la herramienta puede registrarla de nuevo.",
  why_forbidden_address:
    "La herramienta no puede llamar a la dirección del libro de calificaciones. El administrador de la plataforma puede corregirla.",
  why_answer_unreadable:
    "La plataforma de aprendizaje respondió algo que la herramienta no sabe leer. Su administrador puede revisarlo.",
  why_line_item_unknown:
    "La herramienta aún no conoce el libro de calificaciones de este enlace. Podrá reenviarse cuando un docente haya abierto el enlace.",
  why_changed_in_lms:
    "La calificación se cambió a mano en el libro y por eso se deja como está. Un docente decide cuál vale.",
  why_preview_user: "Esta calificación se queda aquí: pertenece a una vista previa de la actividad.",
  why_not_final_yet:
    "La calificación aún no es definitiva y esta plataforma solo guarda las definitivas. Se enviará en cuanto lo sea.",
  why_rate_limited:
    "La plataforma de aprendizaje está ocupada y pidió a la herramienta que espere. La calificación se guarda y se enviará sola.",
  why_superseded: "Una calificación más reciente, llegada de otro lugar, ocupó su lugar.",
};
