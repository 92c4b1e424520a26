// A picture that the API serves. It is fetched with this tab's key, which an <img> alone could not send.

import { useEffect, useRef, useState } from "preact/hooks";
import { picture } from "../api/http";

interface Props {
  path: string;
  alt: string;
  class?: string;
  width?: number;
  height?: number;
  /** Wait until it is near the window. */
  lazy?: boolean;
}

export function Picture({ path, alt, lazy = false, ...more }: Props) {
  const node = useRef<HTMLImageElement>(null);
  const [url, setUrl] = useState<string | null>(null);
  const [state, setState] = useState<"loading" | "shown" | "failed">("loading");

  useEffect(() => {
    const stop = new AbortController();
    let made: string | null = null;
    const load = () => picture(path, stop.signal).then((found) => {
      made = found;
      if (stop.signal.aborted) URL.revokeObjectURL(found);
      else setUrl(found);
    }, () => stop.signal.aborted || setState("failed"));
    setState("loading");
    let watcher: IntersectionObserver | null = null;
    if (lazy && node.current) {
      watcher = new IntersectionObserver((entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        watcher?.disconnect();
        void load();
      }, { rootMargin: "200px" });
      watcher.observe(node.current);
    } else void load();
    return () => {
      stop.abort();
      watcher?.disconnect();
      if (made) URL.revokeObjectURL(made);
    };
  }, [path, lazy]);

  return <img ref={node} {...more} alt={alt} src={url ?? undefined} data-state={state} draggable={false} onLoad={() => setState("shown")} onError={() => setState("failed")} />;
}
