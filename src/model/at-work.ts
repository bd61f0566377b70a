/** Under this name the process answers, as a property of its global object, whose code has its thread: a list of run IDs, or `null`. */
export const AT_WORK = 'dynpart.atWork';
