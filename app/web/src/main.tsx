// The page's entry.

import { render } from "preact";
import { App } from "./app";
import { listen } from "./intake";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/shell.css";

listen();
render(<App />, document.getElementById("app")!);
