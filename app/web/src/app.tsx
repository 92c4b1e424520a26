// The frame round every page: the navigation, notices, the key dialog, and the page that the address names.

import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect, useErrorBoundary, useState } from "preact/hooks";
import { hasKey, onKeyNeeded, setKey } from "./api/http";
import { activeJobs, health, keepHealth } from "./health";
import { PAGES, type Page } from "./pages";
import { lastHref, route, START } from "./router";
import { theme, type Theme } from "./theme";
import { Dialog } from "./ui/dialog";
import { Icon, type IconName } from "./ui/icon";
import { Notices, report } from "./ui/notices";
import { Empty } from "./ui/parts";

function Health() {
  const { state, words, title } = health.value;
  return <p class="health" role="status" data-state={state} title={title}><span class="dot" aria-hidden="true" /><span>{words}</span></p>;
}

const NEXT: Record<Theme, [Theme, IconName, string]> = {
  auto: ["light", "half", "as the system"],
  light: ["dark", "sun", "light"],
  dark: ["auto", "moon", "dark"],
};

function ThemeButton() {
  const [next, icon, word] = NEXT[theme.value];
  const name = `Colours: ${word}`;
  return <button type="button" class="icon" aria-label={name} title={name} onClick={() => { theme.value = next; }}><Icon name={icon} size={18} /></button>;
}

function Navigation({ onGo }: { onGo?: () => void }) {
  return (
    <ul class="pages">
      {PAGES.map((page, index) => (
        <li key={page.name} class={PAGES[index - 1]?.group === page.group ? "" : "start"}>
          <a href={lastHref(page.name)} aria-current={route.value.page === page.name ? "page" : undefined} onClick={onGo}>
            <Icon name={page.icon} />
            <span>{page.title}</span>
            {page.name === "jobs" && activeJobs.value > 0 && <span class="count" id="jobs-count" aria-label={`${activeJobs.value} active`}>{activeJobs.value}</span>}
          </a>
        </li>
      ))}
    </ul>
  );
}

function Foot() {
  return (
    <div class="rail-foot">
      <Health />
      <a class="icon" href="/docs" aria-label="API documentation" title="API documentation"><Icon name="docs" size={18} /></a>
      <ThemeButton />
    </div>
  );
}

function Brand() {
  return <a class="brand" href={lastHref(START)}><img src="/static/favicon.svg" alt="" width="30" height="30" />Markwise</a>;
}

function TopBar({ title }: { title: string }) {
  const [open, setOpen] = useState(false);
  return (
    <header class="top">
      <img src="/static/favicon.svg" alt="" width="26" height="26" />
      <span class="cut">{title}</span>
      <button type="button" class="icon push" aria-label="Pages" aria-expanded={open} onClick={() => setOpen(true)}><Icon name="menu" size={22} /></button>
      {open && (
        <Dialog title="Markwise" drawer onClose={() => setOpen(false)}>
          <nav aria-label="Pages"><Navigation onGo={() => setOpen(false)} /></nav>
          <Foot />
        </Dialog>
      )}
    </header>
  );
}

const loaded = new Map<string, ComponentType>();

function Outlet({ page }: { page: Page }) {
  const [, again] = useState(0);
  const [error, reset] = useErrorBoundary(report);
  const [missing, setMissing] = useState(false);
  const Shown = loaded.get(page.name);
  useEffect(() => {
    if (loaded.has(page.name)) return;
    let gone = false;
    setMissing(false);
    page.load().then((module) => {
      loaded.set(page.name, module.default);
      if (!gone) again((turn) => turn + 1);
    }, () => gone || setMissing(true));
    return () => { gone = true; };
  }, [page.name]);
  if (error) {
    return <Empty title="This page has stopped">It made a mistake; nothing on the server was changed by it.<br /><button type="button" class="button" onClick={reset}>Show it again</button></Empty>;
  }
  if (missing) {
    return <Empty title="This page could not be loaded">The server is away, or was updated meanwhile.<br /><button type="button" class="button" onClick={() => location.reload()}>Reload</button></Empty>;
  }
  return Shown ? <Shown /> : <p class="loading" role="status">Loading</p>;
}

const asking = signal<((given: boolean) => void) | null>(null);

let wanted: Promise<boolean> | null = null;
onKeyNeeded(() => {
  wanted ??= new Promise<boolean>((resolve) => { asking.value = resolve; }).finally(() => {
    wanted = null;
    asking.value = null;
  });
  return wanted;
});

function KeyDialog() {
  const answer = asking.value;
  if (!answer) return null;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const key = String(new FormData(event.currentTarget as HTMLFormElement).get("key") ?? "").trim();
    if (key) setKey(key);
    answer(key !== "");
  };
  return (
    <Dialog title={hasKey() ? "The key was not accepted" : "This server wants a key"} onClose={() => answer(false)}>
      <form class="dialog-body" id="key-form" onSubmit={submit}>
        <label class="field column"><span class="field-name">API key</span><input type="password" id="key" name="key" autocomplete="off" spellcheck={false} /></label>
        <p class="soft small">{hasKey() ? "It may have expired or been revoked. What you were doing goes on with the next one." : "Kept in this tab until it is closed."} Keys are made with <code>markwise keys create</code>.</p>
        <div class="row end"><button type="submit" class="button primary">Use this key</button></div>
      </form>
    </Dialog>
  );
}

export function App() {
  useEffect(keepHealth, []);
  const page = PAGES.find(({ name }) => name === route.value.page);
  useEffect(() => { document.title = page ? `${page.title} · Markwise` : "Markwise"; }, [page]);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById("main")?.focus(); }}>Skip to the page</a>
      <nav class="rail" aria-label="Pages"><Brand /><Navigation /><Foot /></nav>
      <TopBar title={page?.title ?? "Markwise"} />
      <main id="main" tabIndex={-1}>
        {page ? <Outlet key={page.name} page={page} /> : <Empty title="There is no such page"><a href={lastHref(START)}>To the start</a></Empty>}
      </main>
      <Notices />
      <KeyDialog />
    </>
  );
}
