/** Ends this process. User code that calls `process.exit` gets an error instead, so the real one is kept here. */
export const exitProcess = process.exit.bind(process);
