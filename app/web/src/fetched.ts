// One body of the API as a component's state: fetched when the component appears, and again when it is asked to.

import { useEffect, useState } from "preact/hooks";
import { get } from "./api/http";
import { Problem, wasAborted } from "./api/problem";
import { useComeback } from "./health";

export interface Fetched<T> {
  value: T | null;
  /** What went wrong at the last try; the value before it stays. */
  problem: Problem | null;
  reload: () => void;
}

/** The body under `path`; nothing is fetched for null. */
export function useGet<T>(path: string | null): Fetched<T> {
  const [state, setState] = useState<{ path: string | null; value: T | null; problem: Problem | null }>({ path, value: null, problem: null });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (path === null) return undefined;
    const stop = new AbortController();
    get<T>(path, stop.signal).then(
      (value) => setState({ path, value, problem: null }),
      (error: unknown) => wasAborted(error) || setState((before) => ({ path, value: before.path === path ? before.value : null, problem: Problem.of(error) })),
    );
    return () => stop.abort();
  }, [path, turn]);
  const known = state.path === path;
  const reload = () => setTurn((before) => before + 1);
  useComeback(state.problem?.away ?? false, reload);
  return { value: known ? state.value : null, problem: known ? state.problem : null, reload };
}
