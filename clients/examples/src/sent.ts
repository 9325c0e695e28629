/** Calls `show` with each line of CMCD that a player hands to the browser, whether it sends with fetch or with XHR. */
export function watchLines(collector: string, show: (line: string) => void): void {
  const seen = (address: unknown, body: unknown): void => {
    if (!String(address).startsWith(`${collector}/v1/cmcd`)) return;
    const text = typeof body === "string" ? body : new TextDecoder().decode(body as BufferSource);
    text.trim().split("\n").forEach(show);
  };
  const send = window.fetch;
  window.fetch = (input, init) => {
    seen(input instanceof Request ? input.url : input, init?.body);
    return send(input, init);
  };
  const addresses = new WeakMap<XMLHttpRequest, unknown>();
  const { open, send: sendXhr } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.open = function (this: XMLHttpRequest, ...call: unknown[]): void {
    addresses.set(this, call[1]);
    open.apply(this, call as never);
  };
  XMLHttpRequest.prototype.send = function (this: XMLHttpRequest, body): void {
    seen(addresses.get(this), body);
    sendXhr.call(this, body);
  };
}
