// Pictures that were marked before, offered while a page that works on one is empty.

import { useEffect, useState } from "preact/hooks";
import { list } from "../../api/http";
import type { MarkSet } from "../../api/types";
import { href } from "../../router";
import { Picture } from "../../ui/picture";

const SHOWN = 6;

/** Links to the newest pictures on `page`; silent when there is nothing or nobody answers. */
export function Recent({ page = "ask" }: { page?: string }) {
  const [found, setFound] = useState<MarkSet[]>([]);
  useEffect(() => {
    const stop = new AbortController();
    list<MarkSet>("/v1/marksets", { limit: 3 * SHOWN }, stop.signal).then(({ data }) => {
      const newest = new Map<string, MarkSet>();
      for (const markSet of data) if (!newest.has(markSet.image.id)) newest.set(markSet.image.id, markSet);
      setFound([...newest.values()].slice(0, SHOWN));
    }, () => undefined);
    return () => stop.abort();
  }, []);
  if (!found.length) return null;
  return (
    <section class="recent-panel" aria-labelledby="recent-title">
      <h2 id="recent-title">Recent pictures</h2>
      <ul class="recent" id="recent">
        {found.map((markSet) => (
          <li key={markSet.id}>
            <a class="thumb" href={href(page, markSet.id)} aria-label={`Open a picture with ${markSet.marks.length} marks`}>
              <Picture path={`/v1/marksets/${markSet.id}/thumbnail?size=320`} alt="" width={160} height={110} />
              <span class="soft small">{markSet.marks.length} marks</span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
