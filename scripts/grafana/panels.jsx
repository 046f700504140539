// Draws the panels of the dashboard with Grafana's own components. Taken from Grafana are: panel frames, charts, legends, numbers,
// units, colours, and the handling of a panel's JSON. Written here are the page's layout, the names of series, and the defaults:
// those of Grafana are a part of its server, not of its libraries.

import * as data from "@grafana/data";
import * as ui from "@grafana/ui";
import { createRoot } from "react-dom/client";

// Of the panel "timeseries".
const GRAPH = {
  drawStyle: "line", lineInterpolation: "linear", lineWidth: 1, fillOpacity: 0, gradientMode: "none", barAlignment: 0,
  barWidthFactor: 0.6, spanNulls: false, insertNulls: false, showPoints: "auto", pointSize: 5, axisPlacement: "auto",
  axisGridShow: true, scaleDistribution: { type: "linear" }, thresholdsStyle: { mode: "off" },
  hideFrom: { tooltip: false, viz: false, legend: false }, stacking: { mode: "none", group: "A" },
};
const ROW = 38; // pixels of a unit of height, of which 8 are a gap, as in Grafana
const GAP = 8;
const TIME_ZONE = "browser";

const theme = data.createTheme({ colors: { mode: "light" } });
window.__grafana_public_path__ = "/public/";
// Of all panels.
const green = { value: -Infinity, color: "green" };
const STANDARD = {
  unit: undefined, min: undefined, max: undefined, decimals: undefined, color: { mode: "thresholds" },
  thresholds: { mode: "absolute", steps: [green, { value: 80, color: "red" }] },
};
data.standardFieldConfigEditorRegistry.setInit(() => Object.entries(STANDARD).map(([id, defaultValue]) => (
  { id, path: id, name: id, defaultValue, process: data.identityOverrideProcessor, shouldApply: () => true })));
const PLUGINS = {
  stat: new data.PanelPlugin(null).useFieldConfig(),
  timeseries: new data.PanelPlugin(null).useFieldConfig({ standardOptions: { color: { defaultValue: { mode: "palette-classic" } } } }),
};
const keep = (text) => text; // there are no variables left

function frames(panel, answers, custom) {
  return panel.targets.flatMap(({ refId, legendFormat }) => answers[`${panel.id} ${refId}`].map(({ metric, value, values }) => {
    const points = values ?? [value];
    const name = legendFormat.replace(/{{\s*(\w+)\s*}}/g, (_, label) => metric[label] ?? "");
    const interval = values && panel.step * 1000;
    return data.toDataFrame({ refId, fields: [
      { name: "Time", type: data.FieldType.time, values: points.map(([time]) => time * 1000), config: { interval } },
      { name: "Value", type: data.FieldType.number, values: points.map(([, text]) => Number(text)), labels: metric,
        config: { displayNameFromDS: name || undefined, custom } },
    ] });
  }));
}

function Stat({ options, ...given }) {
  const values = data.getFieldDisplayValues({ ...given, reduceOptions: options.reduceOptions, theme, timeZone: TIME_ZONE, replaceVariables: keep });
  return <ui.VizRepeater {...given} source={values} getValues={() => values} renderCounter={0} orientation="auto" itemSpacing={3}
    autoGrid getAlignmentFactors={data.getDisplayValueAlignmentFactors}
    renderValue={({ value, ...size }) => <ui.BigValue {...size} {...options} value={value.display} theme={theme} />} />;
}

function Panel({ panel, answers, range, width, height }) {
  const { options, fieldConfig } = data.getPanelOptionsWithDefaults({ plugin: PLUGINS[panel.type], currentOptions: panel.options,
    currentFieldConfig: structuredClone(panel.fieldConfig), isAfterPluginChange: false });
  const custom = panel.type === "timeseries" ? { ...GRAPH, ...panel.fieldConfig.defaults.custom } : undefined;
  const series = data.applyFieldOverrides({ data: frames(panel, answers, custom), fieldConfig, theme, timeZone: TIME_ZONE,
    fieldConfigRegistry: PLUGINS[panel.type].fieldConfigRegistry, replaceVariables: keep });
  const content = (width, height) => {
    if (!series.length) return <div data-empty={panel.title} style={{ margin: "auto" }}>No data</div>;
    if (panel.type === "stat") return <Stat {...{ options, fieldConfig, data: series, width, height }} />;
    return <ui.TimeSeries {...{ options, width, height }} frames={series} structureRev={1} timeRange={range} timeZone={TIME_ZONE}
      replaceVariables={keep} legend={{ calcs: [], ...options.legend }} />;
  };
  return <ui.PanelChrome title={panel.title} description={panel.description || undefined} {...{ width, height }}>{content}</ui.PanelChrome>;
}

// `answers` are the results of Prometheus by panel number and letter; `from` and `to` are seconds since 1970.
window.draw = (panels, answers, from, to, pageWidth) => {
  const [start, end] = [from, to].map((seconds) => data.dateTime(seconds * 1000));
  const range = { from: start, to: end, raw: { from: start, to: end } };
  const column = pageWidth / 24;
  const drawn = panels.map((panel) => {
    const { x, y, w, h } = panel.gridPos;
    const [width, height] = [w * column - GAP, h * ROW - GAP];
    return <div key={panel.id} data-panel={panel.title} style={{ position: "absolute", left: x * column, top: y * ROW, width, height }}>
      {panel.type === "row" ? <h5 style={{ margin: 6 }}>{panel.title}</h5> : <Panel {...{ panel, answers, range, width, height }} />}
    </div>;
  });
  const height = ROW * Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  createRoot(document.body).render(<data.ThemeContext.Provider value={theme}>
    <ui.GlobalStyles />
    <main style={{ position: "relative", width: pageWidth - GAP, height, margin: GAP }}>{drawn}</main>
  </data.ThemeContext.Provider>);
};
