/** What a pipeline file may import, and nothing else. */
export {
  asset,
  type AnyAsset,
  type AnyKeysOf,
  type Asset,
  type AssetContext,
  type AssetInputs,
  type AssetOptions,
  type Automate,
  type AutomateOptions,
  type FreshFor,
  type BatchAssetOptions,
  type BatchContext,
  type BatchKey,
  type InputValues,
  type Isolation,
  type KeysOf,
  type RetryPolicy,
  type RunInfo,
} from './definitions/asset.ts';
export { allKeys, lastKeys, mapKeys, type KeyedValues, type MappedValues } from './definitions/gather.ts';
export type { GatherOptions, OnMissing, WhichKeys } from './definitions/which-keys.ts';
export type { IoManager, SaveContext, ValueContext } from './definitions/io-manager.ts';
export {
  dynamicPartitions,
  type AddRequest,
  type CarryingKey,
  type DeleteRequest,
  type DynamicPartitions,
  type ItemSchema,
  type KeyToAdd,
  type PartitionsOptions,
  type RetainOptions,
  type PartitionsRequest,
} from './definitions/partitions.ts';
export type { Incident, IncidentOccasion, Notify, NotifyMessage, NotifyOn } from './definitions/notify.ts';
export type { IncidentKind } from './model/incident.ts';
export { definePipeline, PipelineError, type Pipeline } from './definitions/pipeline.ts';
export type { PipelineOptions } from './definitions/pipeline-options.ts';
export type { PipelineProblem } from './model/failures/pipeline.ts';
export type { JsonValue, MetadataValue } from './model/json-value.ts';
export {
  sensor,
  type AssetStatus,
  type PartitionsView,
  type RunRequest,
  type Sensor,
  type SensorContext,
  type SensorOptions,
  type SensorResult,
  type SourceFailure,
} from './definitions/sensor.ts';
export {
  warn,
  type Check,
  type CheckContext,
  type CheckResult,
  type Checks,
  type Warning,
} from './definitions/check.ts';
export type { PoolContext, PoolOption, PoolOptions } from './definitions/pool.ts';
export type { StandardSchema } from './definitions/schema.ts';
export { s3 } from './values/s3.ts';
export type { S3Options } from './values/s3-options.ts';
export { RetryAfter } from './definitions/retry-after.ts';
export { skip, type Skip } from './definitions/skip.ts';
export { secret, type Secret } from './definitions/secret.ts';
export { toCommand } from './senders/to-command.ts';
export { toMail, type MailOptions } from './senders/to-mail.ts';
export { toWebhook, type WebhookOptions } from './senders/to-webhook.ts';
export type { Exec, ExecOptions, Log } from './definitions/user-context.ts';
