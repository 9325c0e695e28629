// What nginx's own directives cannot do: path tokens (as domain/media/path_token.py signs them) and Prometheus' text.
import crypto from 'crypto';

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
    add(`requests ${r.variables.status[0]}xx ${cache}`, 1);
    add(`bytes ${cache}`, Number(r.variables.bytes_sent));
    if (r.variables.upstream_status) {
        const last = r.variables.upstream_status.split(/[,: ]+/).pop();
        add(`origin ${NOT_ORIGINS_FAULT.test(last) ? 'ok' : 'error'}`, 1);
    }
    return '1';
}

function add(series, amount) {
    ngx.shared.counts.incr(series, amount, 0);
}

function metrics(r) {
    add('origin ok', 0);
    add('origin error', 0);
    const series = ngx.shared.counts.keys().sort();
    const text = METRICS.map((metric) => {
        const lines = [`# TYPE ${metric[1]} counter`];
        series.forEach((key) => {
            const words = key.split(' ');
            if (words[0] === metric[0]) {
                const labels = metric[2].map((label, i) => `${label}="${words[i + 1]}"`).join(',');
                lines.push(`${metric[1]}{${labels}} ${ngx.shared.counts.get(key)}`);
            }
        });
        return lines.join('\n');
    });
    r.headersOut['Content-Type'] = 'text/plain; version=0.0.4; charset=utf-8';
    r.return(200, text.join('\n') + '\n');
}

export default { verdict, counted, metrics };
