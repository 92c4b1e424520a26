"""What the browser loads: the web app at / with its built assets, and the API's documentation at /docs.

Both work without a network. The app is prebuilt (app/web/dist); this module knows nothing of what is in it.
"""

from pathlib import Path

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

BUILT = Path(__file__).parents[1] / "web" / "dist"

# No script, style or picture but our own; blob: are pictures that the page fetched with its key.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
FOREVER = "public, max-age=31536000, immutable"


class Built(StaticFiles):
    """Files of the web app; those under assets/ bear a hash of their content in their name and are kept for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file with the headers that let a browser keep it."""
        response = await super().get_response(path, scope)
        kept = path.startswith("assets/") and response.status_code in {200, 304}
        response.headers["Cache-Control"] = FOREVER if kept else "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def mount(app: FastAPI) -> None:
    """Serve the web app at / and the documentation at /docs."""
    import fastapi_offline

    vendor = Path(fastapi_offline.__file__).parent / "static"
    app.mount("/static/docs", StaticFiles(directory=vendor), name="docs-static")
    app.mount("/static", Built(directory=BUILT), name="static")

    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(BUILT / "index.html", headers=PAGE_HEADERS)

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title="Markwise API",
            swagger_js_url="/static/docs/swagger-ui-bundle.js",
            swagger_css_url="/static/docs/swagger-ui.css",
            swagger_favicon_url="/static/docs/favicon.png",
        )
