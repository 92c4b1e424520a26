// Models in words.

import type { Model } from "../../api/learning";

/** What it is called and asked by: its name, and the version where it has one. */
export const titleOf = ({ name, version }: Model): string => (version === null ? name : `${name}@${version}`);
