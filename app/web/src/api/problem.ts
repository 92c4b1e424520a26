// What went wrong, in words for the person: from a problem document, a failed job or a dead connection.

import type { FieldError, Job } from "./types";

export interface ProblemParts {
  title: string;
  detail?: string | null;
  status?: number;
  code?: string | null;
  requestId?: string | null;
  errors?: FieldError[];
  retryAfterS?: number | null;
}

export class Problem extends Error {
  readonly detail: string | null;
  /** HTTP status; 0 where no answer came. */
  readonly status: number;
  readonly code: string | null;
  readonly requestId: string | null;
  readonly errors: FieldError[];
  readonly retryAfterS: number | null;

  constructor({ title, detail = null, status = 0, code = null, requestId = null, errors = [], retryAfterS = null }: ProblemParts) {
    super(title);
    this.detail = detail;
    this.status = status;
    this.code = code;
    this.requestId = requestId;
    this.errors = errors;
    this.retryAfterS = retryAfterS;
  }

  /** Whatever was thrown, as a problem. */
  static of(error: unknown): Problem {
    return error instanceof Problem ? error : new Problem({ title: String(error) });
  }

  /** Nobody answered, or something behind the server is away: it may go well soon. */
  get away(): boolean {
    return [0, 502, 503, 504].includes(this.status);
  }

  /** A failed or cancelled job as a problem. */
  static ofJob(job: Job): Problem {
    if (job.status === "cancelled") return new Problem({ title: "The job was cancelled" });
    return new Problem({ title: job.error?.title || "The job failed", detail: job.error?.detail ?? null, code: job.error?.code ?? null });
  }

  static unreachable(): Problem {
    return new Problem({ title: "The server does not answer", detail: "Is it still running? Nothing was lost; try again." });
  }
}

/** True for work that was given up on purpose: nothing to tell anybody. */
export function wasAborted(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
