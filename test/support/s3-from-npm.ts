/** An S3-compatible server that others have written, with a bucket: over HTTP, with its own opinion of what S3 is. */
import { createRequire } from 'node:module';

interface S3rver {
  run(): Promise<{ readonly port: number }>;
  close(): Promise<void>;
}

const S3rver = createRequire(import.meta.url)('@20minutes/s3rver') as new (options: object) => S3rver;

/** The only keys that it knows. */
export const KEYS = { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' };

export class S3FromNpm implements AsyncDisposable {
  readonly #server: S3rver;
  readonly endpoint: string;

  private constructor(server: S3rver, port: number) {
    this.#server = server;
    this.endpoint = `http://127.0.0.1:${port}`;
  }

  /** @param directory where it keeps its objects */
  static async start(directory: string, bucket: string): Promise<S3FromNpm> {
    const server = new S3rver({
      port: 0,
      address: '127.0.0.1',
      silent: true,
      directory,
      configureBuckets: [{ name: bucket }],
      // It signs lists without the slash behind the bucket, which the SDK signs with. Keys and clocks it looks at all the same.
      allowMismatchedSignatures: true,
    });
    return new S3FromNpm(server, (await server.run()).port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close();
  }
}
