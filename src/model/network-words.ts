/** Why a server could not be asked, in words that say what to look at. */

/** The way on where it is known who answers: a company's own authority, a machine of one's own. */
const TRUSTED =
  'if that is right, start dynpart with NODE_EXTRA_CA_CERTS=FILE, a file that has the certificate to be trusted as PEM';

const WORDS: Readonly<Record<string, (host: string) => string>> = {
  ENOTFOUND: (host) => `there is no host ${host}`,
  EAI_AGAIN: (host) => `the name ${host} cannot be looked up at the moment`,
  ECONNREFUSED: (host) => `${host} refuses the connection`,
  ECONNRESET: (host) => `${host} broke off the connection`,
  UND_ERR_SOCKET: (host) => `${host} broke off the connection`,
  EPIPE: (host) => `${host} broke off the connection`,
  ECONNABORTED: (host) => `${host} broke off the connection`,
  ENETDOWN: (host) => `${host} cannot be reached: this machine has no network`,
  EADDRNOTAVAIL: (host) => `${host} cannot be reached from this machine`,
  EHOSTUNREACH: (host) => `${host} cannot be reached`,
  ENETUNREACH: (host) => `${host} cannot be reached`,
  ETIMEDOUT: (host) => `${host} does not answer`,
  UND_ERR_CONNECT_TIMEOUT: (host) => `${host} does not answer`,
  UND_ERR_HEADERS_TIMEOUT: (host) => `${host} does not answer`,
  UND_ERR_BODY_TIMEOUT: (host) => `${host} stopped in the middle of its answer`,
  UND_ERR_HEADERS_OVERFLOW: (host) => `${host} sends more headers than can be read`,
  HPE_INVALID_CONSTANT: (host) => `${host} does not speak HTTP`,
  CERT_HAS_EXPIRED: (host) =>
    `the certificate of ${host} has expired: who runs it must renew it (or the clock of this machine is wrong)`,
  CERT_NOT_YET_VALID: (host) =>
    `the certificate of ${host} is not valid yet: is the clock of this machine right?`,
  DEPTH_ZERO_SELF_SIGNED_CERT: (host) => `the certificate of ${host} is signed by itself; ${TRUSTED}`,
  SELF_SIGNED_CERT_IN_CHAIN: (host) =>
    `the certificate of ${host} is signed by an authority that node does not know; ${TRUSTED}`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: (host) =>
    `the certificate of ${host} is signed by somebody that node does not know; ${TRUSTED}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: (host) =>
    `the certificate of ${host} is signed by somebody that node does not know; ${TRUSTED}`,
  ERR_TLS_CERT_ALTNAME_INVALID: (host) =>
    `the certificate that answers is not for ${host}; write the name that it is for, or have it issued for this one`,
  ERR_SSL_WRONG_VERSION_NUMBER: (host) => `${host} does not speak TLS here (http:// instead of https://?)`,
  Z_DATA_ERROR: (host) => `what ${host} sent cannot be decompressed`,
  Z_BUF_ERROR: (host) => `what ${host} sent cannot be decompressed: it ends too soon`,
};

export function networkWords(error: unknown, host: string): string {
  for (const each of causesOf(error)) {
    const { code = '', message } = each as NodeJS.ErrnoException;
    const words = WORDS[code];
    // For whom it is instead: the one thing that says what to do.
    const names = (each as { cert?: { subjectaltname?: string } }).cert?.subjectaltname;
    if (words !== undefined) return `${words(host)} (${code}${names === undefined ? '' : `: ${names}`})`;
    if (/^ERR_SSL|^ERR_TLS|CERT/.test(code))
      return `the connection to ${host} is not safe: ${message} (${code})`;
  }
  const last = causesOf(error).at(-1);
  if (last?.message === 'bad port')
    return `no program asks ${host} for a page: its port is kept for something else`;
  return last === undefined ? String(error) : last.message;
}

/** Whether it may go better a second time. */
export function isPassing(error: unknown): boolean {
  return causesOf(error).some((each) =>
    /^(?:EAI_AGAIN|ECONNRESET|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|UND_ERR_(?!HEADERS_OVERFLOW).*)$/.test(
      (each as NodeJS.ErrnoException).code ?? '',
    ),
  );
}

function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  for (let each = error; each instanceof Error && causes.length < 5; each = each.cause) causes.push(each);
  const several = causes.flatMap((each) =>
    each instanceof AggregateError ? (each.errors as unknown[]) : [],
  );
  return [...causes, ...several.filter((each) => each instanceof Error)];
}
