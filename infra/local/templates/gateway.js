import counts from 'counts.js';

// As declared in domain/metrics.py.
const METRICS = [['requests', 'playhead_gateway_requests_total', ['service', 'status']]];

// Called once for each request when it is logged; every request is.
function counted(r) {
    counts.add(`requests ${r.variables.service} ${r.variables.status}`, 1);
    return '1';
}

function metrics(r) {
    counts.answer(r, METRICS);
}

// An error of the gateway's is a page or a problem document; nginx's own types come from names of files.
function problemType(r) {
    r.headersOut['Content-Type'] = r.variables.problem_type;
}

export default { counted, metrics, problemType };
