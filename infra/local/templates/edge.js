// What nginx's own directives cannot do: path tokens, as domain/media/path_token.py signs them.
import crypto from 'crypto';
import counts from 'counts.js';

// The address as it was sent: what is encoded, empty or has `..` in it does not match.
const ADDRESS = /^\/t\/([\w-]+)\.([\w-]{43})(\/([\w-]+)\/q([0-9])\/\w[\w.-]*)(\?|$)/;
const CLAIMS = /^([\w-]+)\|([\w-]*)\|([0-9]{1,12})\|([0-9])\|(\w+)$/;

// As declared in domain/metrics.py.
const METRICS = [
    ['requests', 'playhead_edge_requests_total', ['status', 'cache']],
    ['bytes', 'playhead_edge_sent_bytes_total', ['cache']],
    ['origin', 'playhead_edge_origin_requests_total', ['result']],
];
const NOT_ORIGINS_FAULT = /^(2..|304|404|412|416)$/;

// "admitted", or "". Sets the session and the file: the path without the token, which the cache and the log know.
function verdict(r) {
    const address = ADDRESS.exec(r.variables.request_uri);
    const claims = address && CLAIMS.exec(Buffer.from(address[1], 'base64url').toString());
    const secret = claims && Object.hasOwn(keys, claims[5]) && keys[claims[5]];
    if (!secret || !equal(crypto.createHmac('sha256', secret).update(address[1]).digest('base64url'), address[2])) {
        return '';
    }
    if (claims[1] !== address[4] || Number(claims[3]) * 1000 <= Date.now() || address[5] > claims[4]) {
        return '';
    }
    r.variables.session = claims[2];
    r.variables.file = address[3];
    return 'admitted';
}

// Takes as long for every guess.
function equal(one, other) {
    let difference = one.length ^ other.length;
    for (let i = 0; i < one.length; i++) {
        difference |= one.charCodeAt(i) ^ other.charCodeAt(i);
    }
    return difference === 0;
}

// Called once for each request when it is logged; every request is.
function counted(r) {
    const cache = (r.variables.upstream_cache_status || 'none').toLowerCase();
    counts.add(`requests ${r.variables.status[0]}xx ${cache}`, 1);
    counts.add(`bytes ${cache}`, Number(r.variables.bytes_sent));
    if (r.variables.upstream_status) {
        const last = r.variables.upstream_status.split(/[,: ]+/).pop();
        counts.add(`origin ${NOT_ORIGINS_FAULT.test(last) ? 'ok' : 'error'}`, 1);
    }
    return '1';
}

function metrics(r) {
    counts.add('origin ok', 0);
    counts.add('origin error', 0);
    counts.answer(r, METRICS);
}

export default { verdict, counted, metrics };
