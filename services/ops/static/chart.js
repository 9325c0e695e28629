// Lines over time, with the page's colours, in light and dark. SVG, so that the texts are texts.
/* global echarts */

import { clock, rate, short } from "/static/page.js";

const charts = [];
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** A chart in `element`. `names` are the series; a style variable of the same name is a line's colour. `label` says what is drawn, and its unit. */
export function timeChart(element, names, label, { legend = false, area = true, empty }) {
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", label);
  const chart = echarts.init(element, null, { renderer: "svg" });
  let series = { times: [], values: {} };

  function draw() {
    const [first, last] = [series.times[0], series.times.at(-1)];
    const digits = last - first < 240000 ? 8 : 5; // with seconds, or without
    const flat = names.every((name) => (series.values[name] ?? []).every((value) => value === 0));
    chart.setOption({
      animation: false,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      grid: { left: 44, right: 10, top: legend ? 34 : 12, bottom: 24 },
      legend: { show: legend, left: 0, top: 0, itemWidth: 14, itemHeight: 8, textStyle: { color: colour("ink") } },
      tooltip: {
        trigger: "axis",
        renderMode: "richText", // the other mode writes style attributes, which the page's policy forbids
        confine: true,
        backgroundColor: colour("surface"),
        borderColor: colour("line"),
        textStyle: { color: colour("ink"), fontSize: 12 },
        formatter: (points) =>
          [clock(points[0].value[0]), ...points.map(({ seriesName, value }) => `${seriesName}  ${rate(value[1])}`)].join("\n"),
      },
      xAxis: {
        type: "time",
        splitNumber: Math.max(1, Math.floor(element.clientWidth / 120)),
        axisLabel: { color: colour("muted"), hideOverlap: true, fontSize: 11, formatter: (time) => clock(time).slice(0, digits) },
        axisLine: { lineStyle: { color: colour("line") } },
        axisTick: { show: false },
      },
      yAxis: {
        type: "value",
        min: 0,
        splitNumber: element.clientHeight < 200 ? 2 : 4,
        minInterval: 1,
        axisLabel: { color: colour("muted"), fontSize: 11, formatter: short },
        splitLine: { lineStyle: { color: colour("line") } },
      },
      graphic: {
        type: "text",
        left: "center",
        top: "middle",
        invisible: !flat,
        silent: true,
        style: { text: empty, fill: colour("muted"), fontSize: 12 },
      },
      series: names.map((name) => ({
        name: name,
        type: "line",
        showSymbol: false,
        data: series.times.map((time, place) => [time, series.values[name]?.[place] ?? 0]),
        lineStyle: { width: 1.8, color: colour(name) || undefined },
        itemStyle: { color: colour(name) || undefined },
        areaStyle: area ? { color: colour(name), opacity: 0.16 } : undefined,
      })),
    });
  }

  const shown = { draw, resize: () => chart.resize() };
  charts.push(shown);
  draw();
  return (newest) => {
    series = newest;
    draw();
  };
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.forEach((chart) => chart.draw()));
addEventListener("resize", () => charts.forEach((chart) => { chart.resize(); chart.draw(); }));
