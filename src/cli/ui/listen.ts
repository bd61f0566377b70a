/** Takes a port of 127.0.0.1, or says why it cannot be had. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fail } from '../../model/failure.ts';
import { causeOf, errno } from '../../files/system-errors.ts';

/** No service is known for it. One that stays the same can be forwarded and allowed once. */
const USUAL_PORT = 4747;

const LAST_PORT = 65_535;

export interface Taken {
  readonly port: number;
  /** It is the one that was asked for, or the usual one. */
  readonly isUsual: boolean;
}

/** @param asked without it the usual one, or where that is taken any. @throws FailureError where the one that was asked for cannot be had */
export async function listen(server: Server, asked: number | undefined): Promise<Taken> {
  if (asked !== undefined && asked > LAST_PORT)
    fail({
      reason: 'usage',
      message: `--port takes a number up to ${LAST_PORT}, not ${asked}`,
      hint: WAY_ON,
    });
  try {
    return { port: await take(server, asked ?? USUAL_PORT), isUsual: true };
  } catch (error) {
    const code = errno(error);
    if (asked === undefined && code === 'EADDRINUSE') return { port: await take(server, 0), isUsual: false };
    const port = asked ?? USUAL_PORT;
    if (code === 'EADDRINUSE')
      return fail({
        reason: 'usage',
        message: `port ${port} of 127.0.0.1 is taken by another program`,
        hint: WAY_ON,
      });
    if (code === 'EACCES')
      return fail({
        reason: 'usage',
        message: `port ${port} of 127.0.0.1 is not for you: the system keeps it for others`,
        hint: WAY_ON,
      });
    return fail({
      reason: 'usage',
      message: `port ${port} of 127.0.0.1 cannot be had: ${causeOf(error)}`,
      hint: WAY_ON,
    });
  }
}

const WAY_ON = 'any port that is free: dynpart ui --port 0';

function take(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // Not `localhost`: that may be another address than the one that is said.
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
