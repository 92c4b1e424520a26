"""HTTP: parse, authorise, call one service, render. No SQL, no rules."""
