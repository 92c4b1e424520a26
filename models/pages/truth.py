"""The script that reads the truth from a shown page: every `data-ui` element's visible boxes, role and name.

Run in the page by `models.pages.render`. An element counts when the topmost thing at the middle of its box is itself or
lies in it; a link that breaks over lines has one box per line; what is mostly cut or covered is given as `ignore`.
"""

TRUTH_JS = """() => {
  const W = innerWidth, H = innerHeight, out = [];
  const seen = (el, x, y) => {
    const top = document.elementFromPoint(x, y);
    return top && (el === top || el.contains(top));
  };
  for (const el of document.querySelectorAll('[data-ui]')) {
    const style = getComputedStyle(el);
    if (style.visibility === 'hidden' || +style.opacity < 0.1) continue;
    let boxes = [el.getBoundingClientRect()];
    if (style.display === 'inline' && !['INPUT', 'SELECT', 'TEXTAREA', 'BUTTON'].includes(el.tagName)) {
      const lines = [];
      for (const r of el.getClientRects()) {
        const last = lines[lines.length - 1];
        if (r.width < 1) continue;
        if (last && r.top < last.bottom - 2 && r.bottom > last.top + 2) {
          last.left = Math.min(last.left, r.left); last.right = Math.max(last.right, r.right);
          last.top = Math.min(last.top, r.top); last.bottom = Math.max(last.bottom, r.bottom);
        } else lines.push({ left: r.left, top: r.top, right: r.right, bottom: r.bottom });
      }
      boxes = lines;
    }
    const field = ['INPUT', 'SELECT', 'TEXTAREA'].includes(el.tagName) && !['button', 'submit', 'reset'].includes(el.type);
    const label = el.closest('label') || (el.parentElement && el.parentElement.querySelector(':scope > label'));
    const beside = !label ? '' : [...label.childNodes].filter(n => n !== el && !(n.contains && n.contains(el)))
      .map(n => n.textContent).join(' ').trim();
    const named = field || ['checkbox', 'radio', 'switch', 'combobox'].includes(el.dataset.ui);
    const own = field ? el.placeholder : (el.value || el.innerText);
    const name = (el.getAttribute('aria-label') || (named && beside) || own || '').trim().slice(0, 60);
    for (const b of boxes) {
      const x0 = Math.max(0, b.left), y0 = Math.max(0, b.top), x1 = Math.min(W, b.right), y1 = Math.min(H, b.bottom);
      const whole = (b.right - b.left) * (b.bottom - b.top);
      if (x1 - x0 < 3 || y1 - y0 < 3) continue;
      let role = el.dataset.ui;
      const points = [[.5, .5], [.15, .3], [.85, .3], [.15, .7], [.85, .7]];
      const free = points.filter(([u, v]) => seen(el, x0 + u * (x1 - x0), y0 + v * (y1 - y0))).length;
      if (free === 0) continue;
      if (!seen(el, (x0 + x1) / 2, (y0 + y1) / 2) || free < 3 || (x1 - x0) * (y1 - y0) < 0.5 * whole) role = 'ignore';
      out.push({ role, name, box: [x0, y0, x1, y1] });
    }
  }
  return out;
}"""
