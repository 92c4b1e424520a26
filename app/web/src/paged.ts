// A list of the API, fetched page by page as a person goes on.

import { useEffect, useRef, useState } from "preact/hooks";
import { list, type Query } from "./api/http";
import { Problem, wasAborted } from "./api/problem";
import { useComeback } from "./health";

export interface Paged<T> {
  rows: T[];
  /** The first page is on its way. */
  loading: boolean;
  more: boolean;
  problem: Problem | null;
  /** Fetch the next page. */
  next: () => Promise<void>;
  /** Fetch the first page again and forget the rest. */
  reload: () => void;
  /** Change rows in place, such as one that was edited. */
  change: (map: (row: T) => T) => void;
}

/** The rows under `path` with this query, newest first as the API gives them; starts anew when path or query change. */
export function usePaged<T>(path: string, query: Query = {}, limit = 50): Paged<T> {
  const [state, setState] = useState<{ rows: T[]; cursor: string | null; loading: boolean; problem: Problem | null }>({ rows: [], cursor: null, loading: true, problem: null });
  const [turn, setTurn] = useState(0);
  const stop = useRef(new AbortController());
  const key = JSON.stringify([path, query, limit]);

  useEffect(() => {
    const controller = new AbortController();
    stop.current = controller;
    setState((before) => ({ ...before, loading: true, problem: null }));
    list<T>(path, { ...query, limit }, controller.signal).then(
      ({ data, next_cursor: cursor }) => setState({ rows: data, cursor, loading: false, problem: null }),
      (error: unknown) => wasAborted(error) || setState({ rows: [], cursor: null, loading: false, problem: Problem.of(error) }),
    );
    return () => controller.abort();
  }, [key, turn]);

  const reload = () => setTurn((before) => before + 1);
  useComeback(state.problem?.away ?? false, reload);

  const next = async (): Promise<void> => {
    if (!state.cursor) return;
    const { signal } = stop.current;
    const page = await list<T>(path, { ...query, limit, after: state.cursor }, signal);
    setState((before) => ({ ...before, rows: [...before.rows, ...page.data], cursor: page.next_cursor }));
  };
  return {
    ...state,
    more: state.cursor !== null,
    next,
    reload,
    change: (map) => setState((before) => ({ ...before, rows: before.rows.map(map) })),
  };
}
