"use strict";
/* Draws the boards (#data: sections, each a list of boards): accuracy with ranges, and accuracy against coverage. */
(() => {
  const sections = JSON.parse(document.getElementById("data").textContent);
  const ROLES = ["ink", "muted", "line", "surface", "minutes", "pale", "starts", "accent"];
  const three = (value) => value.toFixed(3);
  const percent = (share) => `${(100 * share).toFixed(0)} %`;
  const safe = (value) => echarts.format.encodeHTML(value);

  function look(element) {
    const style = getComputedStyle(document.documentElement);
    const em = parseFloat(style.fontSize);
    return {
      em, width: element.clientWidth, narrow: element.clientWidth < 34 * em, font: getComputedStyle(document.body).fontFamily,
      ...Object.fromEntries(ROLES.map((role) => [role, style.getPropertyValue(`--${role}`).trim()])),
    };
  }
  const text = (l, colour = l.muted) => ({ color: colour, fontSize: 0.8 * l.em, fontFamily: l.font });
  const ahead = (row) => row.lead !== null && row.lead.low > 0;
  const paint = (row, l) => (row.lead === null ? l.accent : ahead(row) ? l.starts : l.minutes);
  const told = (row) =>
    `<b>${safe(row.competitor)}</b><br>NDCG@100 ${three(row.ndcg100.mean)} (${three(row.ndcg100.low)} to ${three(row.ndcg100.high)})` +
    `<br>coverage ${percent(row.coverage20)}, long tail ${percent(row.long_tail)}`;
  const frame = (l, rows) => ({
    animation: false,
    textStyle: { fontFamily: l.font, fontSize: 0.8 * l.em, color: l.muted },
    tooltip: {
      confine: true, backgroundColor: l.surface, borderColor: l.line, textStyle: { color: l.ink, fontSize: 0.85 * l.em, fontFamily: l.font },
      formatter: ({ dataIndex }) => told(rows[dataIndex]),
    },
  });
  const valueAxis = (l, more) => ({
    type: "value", axisLine: { show: false }, axisTick: { show: false }, axisLabel: text(l), splitLine: { lineStyle: { color: l.line } }, splitNumber: 4, ...more,
  });

  /* A dot and its range each; the name stands above its line where there is no room beside it. */
  function accuracy(rows, l) {
    const bar = rows.find((row) => row.lead === null);
    const whisker = (params, api) => {
      const y = api.coord([0, api.value(0)])[1];
      const [low, mean, high] = [1, 2, 3].map((n) => api.coord([api.value(n), api.value(0)])[0]);
      const colour = paint(rows[params.dataIndex], l);
      const row = rows[params.dataIndex], said = three(row.ndcg100.mean);
      const label = l.narrow
        ? { text: `${row.competitor}  ${said}`, x: 4, y: y - 1.05 * l.em, fill: l.ink }
        : { text: said, x: high + 6, y, fill: l.muted };
      return {
        type: "group",
        children: [
          { type: "line", shape: { x1: low, y1: y, x2: high, y2: y }, style: { stroke: colour, lineWidth: 2.5, opacity: 0.5 } },
          { type: "circle", shape: { cx: mean, cy: y, r: 0.36 * l.em }, style: { fill: colour } },
          { type: "text", style: { ...label, font: `${0.8 * l.em}px ${l.font}`, verticalAlign: "middle" } },
        ],
      };
    };
    return {
      ...frame(l, rows),
      grid: { left: l.narrow ? 4 : 11 * l.em, right: 3.2 * l.em, top: 0.6 * l.em, bottom: 1.8 * l.em, outerBoundsMode: "none" },
      xAxis: valueAxis(l, { scale: true, axisLabel: { ...text(l), formatter: (value) => value.toFixed(2) } }),
      yAxis: {
        type: "category", inverse: true, data: rows.map((row) => row.competitor), axisLine: { show: false }, axisTick: { show: false },
        axisLabel: { ...text(l, l.ink), show: !l.narrow, interval: 0, width: 10.5 * l.em, overflow: "truncate" },
      },
      series: [
        {
          type: "custom", renderItem: whisker, encode: { x: [1, 2, 3], y: 0 },
          data: rows.map((row, n) => [n, row.ndcg100.low, row.ndcg100.mean, row.ndcg100.high]),
          markLine: bar && { silent: true, symbol: "none", precision: 9, label: { show: false }, lineStyle: { color: l.accent, type: "dashed", width: 1 }, data: [{ xAxis: bar.ndcg100.mean }] },
        },
      ],
    };
  }

  function spread(rows, l) {
    return {
      ...frame(l, rows),
      grid: { left: 3 * l.em, right: 1.2 * l.em, top: 1.2 * l.em, bottom: 3.2 * l.em, outerBoundsMode: "none" },
      xAxis: valueAxis(l, { name: "Coverage of the catalogue by lists of 20", nameLocation: "middle", nameGap: 1.9 * l.em, nameTextStyle: text(l), axisLabel: { ...text(l), formatter: percent } }),
      yAxis: valueAxis(l, { scale: true, axisLabel: { ...text(l), formatter: (value) => value.toFixed(2) } }),
      series: [{
        type: "scatter", symbolSize: 0.9 * l.em,
        data: rows.map((row) => ({ value: [row.coverage20, row.ndcg100.mean], itemStyle: { color: paint(row, l) } })),
        label: { show: true, ...text(l, l.ink), position: "top", formatter: ({ dataIndex }) => rows[dataIndex].competitor },
        labelLayout: ({ rect, labelRect }) => ({ hideOverlap: true, dx: Math.min(0, l.width - 6 - (labelRect.x + labelRect.width)) + Math.max(0, 4 - labelRect.x) }),
      }],
    };
  }

  for (const panel of document.querySelectorAll("[data-board]")) {
    const { rows } = sections[panel.dataset.section][panel.dataset.board];
    const element = panel.querySelector(".chart");
    const option = element.classList.contains("spread") ? spread : accuracy;
    let chart = null;
    const draw = () => {
      if (!element.clientWidth) return;
      const em = look(element).em;
      element.style.minHeight = `${(option === spread ? 20 : 2.5 + (look(element).narrow ? 2.9 : 2.2) * rows.length) * em}px`;
      chart ??= echarts.init(element, null, { renderer: "svg" });
      chart.resize();
      chart.setOption(option(rows, look(element)), { replaceMerge: ["series", "grid"] });
    };
    new ResizeObserver(draw).observe(panel);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    draw();
  }
})();
