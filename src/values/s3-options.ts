/** What is said of a bucket in a pipeline file. */

/** Where {@link s3} keeps values, and as whom it asks. */
export interface S3Options {
  /** It must be there. */
  readonly bucket: string;
  /** Names of objects begin with it and a `/`. Default: nothing. Give each state one of its own. */
  readonly prefix?: string;
  /** The address of a server that speaks S3 (MinIO, R2, Ceph), `http` or `https`. Default: that of AWS for the region. */
  readonly endpoint?: string;
  /** Default: `AWS_REGION`, then the profile of AWS; with an `endpoint`: `us-east-1`. */
  readonly region?: string;
  /** Default: where programs for AWS look: the environment, the profile, the role of the machine. */
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  /** `endpoint/bucket` in place of `bucket.endpoint`. Default: `true` with an `endpoint`. */
  readonly forcePathStyle?: boolean;
}
