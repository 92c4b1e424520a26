// Settings of a tenant: keys, webhooks, and the log of what was done to them.

import { href, route } from "../../router";
import { PageHead } from "../../ui/parts";
import { Audit } from "./audit";
import { Keys } from "./keys";
import { Webhooks } from "./webhooks";
import "../../ui/forms.css";
import "./settings.css";

const PARTS = { keys: { title: "Keys", part: Keys }, webhooks: { title: "Webhooks", part: Webhooks }, audit: { title: "Audit log", part: Audit } };

export default function SettingsPage() {
  const id = route.value.id ?? "keys";
  const chosen = id in PARTS ? (id as keyof typeof PARTS) : "keys";
  const Part = PARTS[chosen].part;
  return (
    <div class="page">
      <PageHead title="Settings" lead="Who may call, who is told, and what was done." />
      <nav class="row wrap" aria-label="Settings">
        {Object.entries(PARTS).map(([name, { title }]) => <a key={name} class={`button small ${name === chosen ? "" : "quiet"}`} aria-current={name === chosen ? "page" : undefined} href={href("settings", name)}>{title}</a>)}
      </nav>
      <Part />
    </div>
  );
}
