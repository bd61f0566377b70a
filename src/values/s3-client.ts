/** The four questions that are asked of a bucket, by `@aws-sdk/client-s3`, and what its refusals mean. */
import path from 'node:path';
import type * as Package from '@aws-sdk/client-s3';
import { findPackage } from '../files/find-package.ts';
import type { S3Options } from './s3-options.ts';

/** A bucket. */
export interface Sdk {
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** `null`: it is not there. */
  get(name: string): Promise<Buffer | null>;
  list(prefix: string): Promise<readonly { readonly name: string; readonly at: number }[]>;
  remove(name: string): Promise<void>;
}

/** An answer that was cut off in its middle is asked for again so often; what is cut off before it, the package does. */
const TRIES = 3;

/** @throws Error where the package is missing */
export function loadSdk(options: S3Options, file: string | undefined): Sdk {
  const { bucket: Bucket, endpoint, region, credentials } = options;
  const found = findClient([file === undefined ? process.cwd() : path.dirname(file), import.meta.dirname]);
  const client = new found.S3Client({
    ...(endpoint !== undefined && { endpoint, region: process.env['AWS_REGION'] ?? 'us-east-1' }),
    ...(region !== undefined && { region }),
    ...(credentials !== undefined && { credentials }),
    forcePathStyle: options.forcePathStyle ?? endpoint !== undefined,
    maxAttempts: 4,
    // Servers other than AWS know no others.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: 10_000, socketTimeout: 60_000 },
  });
  const get = async (Key: string): Promise<Buffer> => {
    for (let tried = 1; ; tried++) {
      const { Body } = await client.send(new found.GetObjectCommand({ Bucket, Key }));
      try {
        return Buffer.from(await Body!.transformToByteArray());
      } catch (error) {
        if (tried === TRIES) throw error;
      }
    }
  };
  return {
    async put(Key, Body) {
      await client.send(new found.PutObjectCommand({ Bucket, Key, Body }));
    },
    async get(Key) {
      try {
        return await get(Key);
      } catch (error) {
        if ((error as Error).name === 'NoSuchKey') return null;
        throw error;
      }
    },
    async list(Prefix) {
      const all: { name: string; at: number }[] = [];
      let ContinuationToken: string | undefined;
      do {
        const page = await client.send(
          new found.ListObjectsV2Command({ Bucket, Prefix, ...(ContinuationToken && { ContinuationToken }) }),
        );
        for (const { Key, LastModified } of page.Contents ?? [])
          all.push({ name: Key!, at: LastModified?.getTime() ?? 0 });
        ContinuationToken = page.NextContinuationToken;
      } while (ContinuationToken !== undefined);
      return all;
    },
    async remove(Key) {
      await client.send(new found.DeleteObjectCommand({ Bucket, Key }));
    },
  };
}

/** @param folders where to look, in this order: beside the pipeline file, beside dynpart */
export function findClient(folders: readonly string[]): typeof Package {
  const found = findPackage('@aws-sdk/client-s3', folders, { throwsBroken: true });
  if (found !== null) return found.exports as typeof Package;
  throw new MissingPackage(
    's3() needs the package @aws-sdk/client-s3, which is neither beside the pipeline file nor beside dynpart; install it beside the pipeline file: npm install @aws-sdk/client-s3@3',
  );
}

class MissingPackage extends Error {}

/** What a refusal means, and what to do. */
export function saidOf(error: unknown, { bucket, endpoint }: S3Options): string {
  const { name, message, code, $metadata, $response } = error as NodeJS.ErrnoException & {
    $metadata?: { httpStatusCode?: number; attempts?: number };
    $response?: { statusCode?: number };
  };
  const where = `bucket '${bucket}' at ${endpoint ?? 'AWS'}`;
  const status = $metadata?.httpStatusCode ?? $response?.statusCode;
  switch (name) {
    case 'NoSuchBucket':
      return `there is no ${where}: make it, or mend 'bucket' of s3()`;
    case 'InvalidAccessKeyId':
    case 'SignatureDoesNotMatch':
    case 'InvalidToken':
    case 'ExpiredToken':
      return `${where} does not know these keys (${name}): give others in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or in 'credentials' of s3()`;
    case 'CredentialsProviderError':
      return `there are no keys for ${where}: give them in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or in 'credentials' of s3()`;
    case 'AccessDenied':
      return `${where} refuses it to these keys: allow them s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject`;
    case 'RequestTimeTooSkewed':
      return `the clock of this machine differs too much from that of ${where}: set it (timedatectl set-ntp true)`;
    case 'EntityTooLarge':
      return `the value is larger than ${where} takes: write it there in parts yourself, and return its name`;
    case 'PermanentRedirect':
    case 'AuthorizationHeaderMalformed':
      return `${where} is in another region: name it in 'region' of s3() (${message})`;
  }
  if (error instanceof MissingPackage) return message;
  if (message === 'Region is missing')
    return `${where} has no region: name it in AWS_REGION, or in 'region' of s3()`;
  if (status === 413)
    return `the value is larger than ${where} takes: write it there in parts yourself, and return its name`;
  if (status !== undefined && status >= 400) return `${where} answers ${status} ${name}: ${message}`;
  return `${where} cannot be reached (${code ?? name}: ${message}); it was tried several times. Is the server there?`;
}
