/**
 * Types of the messages from the server. Times are Unix seconds of the server's clock.
 *
 * @typedef {{threshold: number}} Rules
 * @typedef {{by: string, reason: string, count: number}} Drop
 * @typedef {"live" | "starting" | "lost" | "paused" | "ended" | "offline" | "silent"} CameraState
 * @typedef {{
 *   state: CameraState, still: boolean, since: number | null, detail: string,
 *   label: string | null, probability: number | null, label_since: number | null,
 *   frames_per_second: number | null, predictions_per_second: number | null, predicted_at: number | null,
 *   demo: boolean, whole_pictures: boolean, dropped: Drop[], occupancy: Occupancy | null, alerts: Alert[],
 * }} Camera `demo` is the flag of the camera's last prediction; `whole_pictures` is true if its model cannot tell where visitors
 * are; `still` while few pictures come because nothing moves
 * @typedef {{
 *   zones: Record<string, number>, inside: number | null, entered: number, left: number, drift: number, since: number | null,
 * }} Occupancy `inside` is null without lines; `drift` is how many left while nobody was inside
 * @typedef {{rule: string, kind: string, zone: string | null, limit: number, value: number, since: number}} Alert one that is raised;
 * `value` is what was measured then
 * @typedef {[number, number]} Point
 * @typedef {[number, number, number, number]} Box left, top, width and height, in parts of the picture
 * @typedef {{name: string, from: Point, to: Point}} Line
 * @typedef {{name: string, polygon: Point[]}} Zone
 * @typedef {{
 *   lines: Line[] | null, zones: Zone[] | null, mask: Point[][], visitors: string[] | null, alerts: AlertRule[] | null,
 * }} Setup null: as the settings say
 * @typedef {{
 *   name: string, zone?: string | null, inside?: number | null, people?: number | null, waiting_seconds?: number | null,
 *   lost_minutes?: number | null, uncounted_minutes?: number | null,
 * }} AlertRule exactly one limit is a number
 * @typedef {{lines: Line[], zones: Zone[], alerts: AlertRule[]}} SetupDefaults as the settings say
 * @typedef {{
 *   state: string, since: number | null, at: number | null, detail: string, model: string | null, update: Update | null,
 *   metrics: Record<string, number>, rates: Record<string, number>,
 * }} Module
 * @typedef {{state: string, url: string | null, sha256: string | null, detail: string, previous: string | null}} Update
 * @typedef {{label: string, rgb: string}} Pixels
 * @typedef {{
 *   id: string, camera: string, label: string, started_at: number, ended_at: number, peak: number, frames: number,
 *   demo: boolean, direction: "in" | "out" | null, zones: Record<string, number>,
 * }} Visit `zones` are the seconds in each
 * @typedef {Record<string, Record<string, number | null>>} ByHour by label and hour
 * @typedef {{
 *   totals: Record<string, number> | null, visits: ByHour, counted: Record<string, number | null>, demo: boolean,
 *   crossings?: Record<string, {in?: ByHour, out?: ByHour}>,
 *   zones?: Record<string, {visits: ByHour, seconds: Record<string, number>}>,
 * }} CameraCounts `crossings` by line; `counted` is the share of each hour during which the camera was counting; null: no data
 * @typedef {{
 *   day: string, begins_at: number, ends_at: number, zone: string,
 *   cameras: Record<string, CameraCounts>, visits: Visit[], demo: boolean,
 * }} DayReport
 * @typedef {{label: string, name: string | null, colour: string | null}} SiteLabel null: none of its own
 * @typedef {{name: string | null, locale: string | null, labels: SiteLabel[]}} Site
 * @typedef {{disconnected_since: number | null}} BrokerState `disconnected_since` is null while connected
 * @typedef {{
 *   now: number, page: string, version: string, site: Site | null, signed_in: boolean, may_set_up: boolean, rules: Rules, labels: string[], model_classes: string[],
 *   visitor_labels: string[], setups: Record<string, Setup>, setup_defaults: SetupDefaults, cameras: Record<string, Camera>,
 *   modules: Record<string, Module>, pixels: Record<string, Pixels>, broker: BrokerState,
 *   today: {problem: string, report: DayReport | null},
 * }} State
 * @typedef {{name: string, probability: number, visitor: boolean}} Label
 * @typedef {{number: number, box: Box, label: string, since: number}} VisitorInView
 * @typedef {{box: Box, confidence: number, labels: Label[]}} Detection
 * @typedef {{
 *   labels: Label[], detections: Detection[], classified_at: number, inference_ms: number, model: string,
 * }} Prediction
 * @typedef {{
 *   camera: string, session: string, sequence: number, captured_at: number, age: number, width: number, height: number,
 *   prediction: Prediction | null, tracks: VisitorInView[] | null,
 * }} PictureHeader
 */
export {};
