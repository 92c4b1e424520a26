// What was asked for when a training was ordered.

import type { OrderedJob } from "../../api/learning";

export const orderOf = (job: OrderedJob): Record<string, unknown> => job.order?.training ?? {};

export const titleOf = (job: OrderedJob): string => `${String(orderOf(job).name ?? "training")} ${job.id.slice(-4)}`;
