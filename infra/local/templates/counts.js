// Counters in a shared dictionary, and Prometheus' text: this nginx lacks metrics.

// A series is the metric's key and the values of its labels, with spaces between.
function add(series, amount) {
    ngx.shared.counts.incr(series, amount, 0);
}

// Each metric: its key, its name, the names of its labels.
function answer(r, metrics) {
    const series = ngx.shared.counts.keys().sort();
    const text = metrics.map((metric) => {
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

export default { add, answer };
