# Makes sure that there is a Chromium for the tests: one of the machine, else of apt (as root), else Playwright's own.
# The last way downloads from Playwright's servers; it could not be tried where this was written, without internet.
# usage: chromium.sh path/to/python
set -eu

for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name" >/dev/null; then
        exit 0
    fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Se instala Chromium, que las pruebas necesitan."
    if apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; then
        exit 0
    fi
fi
"$1" -m playwright install chromium || {
    echo "Las pruebas necesitan Chromium. Instálalo (en Debian y Ubuntu: apt-get install chromium) y repite la orden."
    exit 2
}
