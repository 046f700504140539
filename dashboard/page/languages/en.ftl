# The texts of the page. Each language has a file of its own, with the same names; scripts check that. See docs/languages.md.

## Times and numbers

hour = { $from }–{ $to } h
your-time = { $time } your time
ahead = { $duration } ahead
behind = { $duration } behind
seconds = { $seconds } s
minutes = { $minutes } min
minutes-seconds = { $minutes } min { $seconds } s
hours = { $hours } h
hours-minutes = { $hours } h { $minutes } min
days = { $days ->
    [one] { $days } day
   *[other] { $days } days
}

## Header and footer

title = Footfall
skip = Skip to the main content
view-today = Today
view-reports = Reports
view-system = System
view-help = Help
views = Pages
language = Language
try-now = Try now
sign-out = Sign out
labels-note = Labels are predictions of a model and can be wrong. Pictures are not stored.
version = Footfall { $version }

## Saving

save = Save
not-saved = Not saved: { $problem }
not-saved-shape = Not saved: { $shape } { $problem }
not-saved-no-response = the server did not respond. Try again.

## Labels

undecided = undecided

## The top line

is-it-working = Is it working?
connecting-to = Connecting to Footfall…
counting = counting
counting-cameras = { $cameras ->
    [one] Counting. { $cameras } camera live.
   *[other] Counting. { $cameras } cameras live.
}
visitors-today = { $visitors ->
    [one] { $visitors } visitor today
   *[other] { $visitors } visitors today
}
demo-visitors-today = { $visitors ->
    [one] { $visitors } demo visitor today
   *[other] { $visitors } demo visitors today
}
no-data-today = no data for today yet
also = Also: { $problems }
all-offline = Not counting: all modules are offline.
all-offline-advice = If Footfall is stopped, start it; this page reconnects.
nothing-reported = No camera has reported yet. Is capture running?
nothing-reported-advice = Start capture, or check its log. Its camera appears here once it reports.
broker-lost = No connection to the broker since { $time }.
broker-lost-advice = Is Mosquitto running? Footfall reconnects automatically.
module = Module { $name }
camera-name = Camera { $name }
state-of = { $subject }: { $state }
state-since = { $subject }: { $state } since { $time }
demo-only = Demo: these visitors are not real.
demo-counted = Demo at { $cameras }: visitors there are not real. The totals of all cameras exclude them.
demo-live = Demo at { $cameras }: visitors there are not real. Today's totals exclude them.

## Today

today = Today
camera = Camera
all-cameras = All cameras
unknown = unknown
no-data = no data
all = All
in = in
out = out
inside = inside
counts-unknown = Counts unknown: { $problem }
counts-are-old = Today's counts are not available: { $problem }. The last known counts are shown.
no-counts = No counts yet.
no-counts-hint = The counter provides them. Is it running?
figure-visitors = visitors
figure-in = in
figure-out = out
figure-inside = inside now
figure-change = { $change } ({ $before })
against = In brackets: { $day }, both until { $time }
by-hour = By hour
chart-shows = The chart shows
show-visits = Visits
show-flow = In and out
chart-visits = Visits per hour
chart-flow = In and out per hour
chart-counts = { $subject }. { $counts }. The table below lists them by label.
chart-empty = { $subject }: none yet.
chart-missing = No data: { $hours }.
no-data-key = No data: the camera was not counting
readout = { $time }: { $counts }
readout-beside = { $time }: { $counts } · { $before } on { $day }
crossed-in = { $number } in
crossed-out = { $number } out
no-visits = no visits
not-yet = not yet
busiest = { $visitors ->
    [one] Busiest: { $time } with { $visitors } visitor
   *[other] Busiest: { $time } with { $visitors } visitors
}
compare = Compare with
yesterday = yesterday
week-ago = a week ago
none = none
loading = Loading…
loading-failed = Loading failed: { $problem }
no-response = the server did not respond. Select the day again to retry.
as-table = Numbers as a table
table-of-visits = Table of visits by hour and label
table-visits = Visits that began in each hour
table-flow = Crossings of the lines in each hour
hour-column = Hour
column-in = In
column-out = Out
zone-visits = { $zone }: visits
zone-stay = { $zone }: mean stay
csv-visits = { $day } as CSV
csv-crossings = crossings
csv-zones = zones
zone-unknown = The site's time zone is unknown: hours are the site's, other times are this device's
times = Times are the site's ({ $zone })
times-differ = Times are the site's ({ $zone }); yours is { $offset }
share-of-time = { $counted } of { $passed }
counted-share = counted { $share }
camera-share = { $camera } { $share }
partly-counted = partly counted: { $cameras }
others = and others
coverage-of-day = { $day }: { $coverage }.
whole-pictures = The model of this camera looks at whole pictures. Lines and zones count only with a detector.
inside-since = inside: counted since { $time }
drift = { $visitors ->
    [one] { $visitors } visitor left who had come in unseen
   *[other] { $visitors } visitors left who had come in unseen
}
zone-now = { $visitors } now
zone-empty = no visits today
zone-today = { $visits ->
    [one] { $visits } visit today, { $mean } on average
   *[other] { $visits } visits today, { $mean } on average
}
last-visits = Last visits
visit-began = Began
visit-label = Label
visit-camera = , camera
visit-length = Length
visit-peak = Sure
visits-unknown = Visits unknown: { $problem }
no-visits-yet = No visits yet today.
no-visit-hint = A visit appears here when it has ended.
camera-of-demo = { $camera }, demo

## Live pictures

live = Live
lines-and-zones = Lines and zones
set-up = Set up
set-up-camera = Set up camera { $name }: lines, zones, masks
no-camera = No camera has reported yet.
no-camera-hint = Is capture running? Its camera appears here once it reports.
picture-of = Picture of camera { $camera }
picture-age = This picture is { $age } old.
current-visit = visit: { $label } since { $time }
last-visitor = last: { $label } since { $time }
no-current-visit = no current visit
waiting-for-picture = Waiting for the first picture
camera-is = Camera { $state }
no-broker = No connection to the broker
since = since { $time }
visitor = visitor
visitors-in-view = { $visitors } visitors
not-classified = not classified
nobody = nobody
nobody-label = nobody ({ $label })
unsure = unsure, perhaps { $label }
alert-at = Alert { $rule } at { $camera }: { $alert }.
alert-inside = { $value ->
    [one] { $value } visitor inside, more than { $limit }
   *[other] { $value } visitors inside, more than { $limit }
}
alert-people = { $value ->
    [one] { $value } visitor at { $zone }, more than { $limit }
   *[other] { $value } visitors at { $zone }, more than { $limit }
}
alert-waiting-seconds = somebody has been at { $zone } for more than { $duration }
alert-lost-minutes = no picture was counted for { $duration }
alert-uncounted-minutes = open for { $duration }, and nobody was counted
alert-other = { $kind } above { $limit }
alert-since = { $alert }; since { $time }
led-matrix = LED matrix
display-shows = Display { $name } shows { $label }
display-dark = Display { $name } is dark
display-unknown = Display { $name }: state unknown
dark = dark
shown-now = shown now
no-label-shown = no label shown

## Setup of a camera

setup-title = Set up camera { $camera }
setup-draw = Draw
setup-add-line = Add line
setup-add-zone = Add zone
setup-add-mask = Add mask
setup-finish = Finish
setup-stop = Stop drawing
setup-undo = Undo
setup-none = Nothing is drawn yet.
setup-none-line = A line counts who goes in and out.
setup-none-zone = A zone counts who is in a part of the picture, and for how long.
setup-none-mask = A mask blackens a part of the picture before it leaves the camera.
setup-shapes = Lines, zones and masks
setup-line = line
setup-zone = zone
setup-mask = mask
setup-rule = rule
setup-named = { $kind } { $name }
setup-name = Name
setup-name-of = Name of { $shape }
setup-reverse = Reverse
setup-reverse-shape = Reverse { $shape }
setup-delete = Delete
setup-delete-shape = Delete { $shape }
setup-move = Move { $shape }
setup-start = Start of { $shape }: { $position }
setup-end = End of { $shape }: { $position }
setup-corner = Corner { $number } of { $shape }: { $position }
setup-position = { $x } across, { $y } down
setup-next-point = Next point: { $position }. Arrow keys move it, Enter sets it, Escape cancels.
setup-draw-start = Click where the line begins.
setup-draw-end = The beginning is set. Click where it ends.
setup-draw-corner = Click the first corner.
setup-draw-next = Corner { $number } is set. Click the next corner.
setup-draw-close = Corner { $number } is set. Click the first corner or press Enter to finish.
setup-draw-keys = { $hint } Or move the cross with the arrow keys and press Enter.
setup-two-ends = A line has two ends.
setup-three-corners = Set at least three corners.
setup-nothing-added = Nothing was added.
setup-added = { $shape } added.
setup-added-but = { $shape } added, but it { $problem }.
setup-in-down = In is down.
setup-in-up = In is up.
setup-in-left = In is left.
setup-in-right = In is right.
setup-moved = { $shape } moved.
setup-reversed = { $shape } reversed.
setup-corner-deleted = Corner { $number } of { $shape } deleted.
setup-last-corners = Three corners are the minimum. Delete the whole shape at its name.
setup-deleted = { $shape } deleted. Undo brings it back.
setup-undone = Undone.
setup-nothing-to-undo = There is nothing to undo.

# What is wrong follows the name of a line, zone, mask or rule.
setup-wrong = { $shape } { $problem }.
setup-this = This { $kind } { $problem }.
setup-problem-no-name = has no name
setup-problem-same-name = has the name of another { $kind }
setup-problem-short = is too short
setup-problem-small = is too small
setup-problem-crosses = crosses itself
setup-problem-corners = has { $corners } corners; 3 to { $most } are allowed
setup-problem-limit-visitors = needs a whole number from 0 to { $most }
setup-problem-limit-seconds = needs a limit above 0 and at most { $most } seconds
setup-problem-limit-minutes = needs a limit above 0 and at most { $most } minutes
setup-problem-zone = needs a zone
setup-problem-zone-missing = needs another zone: { $zone } is not drawn

setup-as-settings = as the settings say
setup-visitors-settings = Visitors: as the settings say
setup-visitors-own = Visitors: { $ticked ->
    [one] { $ticked } class
   *[other] { $ticked } classes
}
setup-visitors-about = What the model finds counts as a visitor if it is one of these classes.
setup-classes = Classes that make a visitor
setup-classes-note = { $ticked } of { $all } ticked. Tick at least one.
setup-classes-note-most = { $ticked } of { $all } ticked. Tick at least one, at most { $most }.
setup-no-classes = tick at least one class of visitors

setup-alerts-settings = Alerts: as the settings say ({ $rules ->
    [0] no rules
    [one] { $rules } rule
   *[other] { $rules } rules
}{ $wrong ->
    [0] {""}
   *[other] , { $wrong } incomplete
})
setup-alerts-own = Alerts: { $rules ->
    [0] no rules
    [one] { $rules } rule
   *[other] { $rules } rules
}{ $wrong ->
    [0] {""}
   *[other] , { $wrong } incomplete
}
setup-alerts-about = An alert is shown on the page, and sent to other systems, as long as its limit is exceeded.
setup-rules = Rules of alerts
setup-rules-none = There are no rules: this camera raises no alerts.
setup-rules-most = { $most } rules are the maximum.
setup-rule-kind = Kind of the new rule
setup-add-rule = Add rule
setup-rule-added = Rule { $rule } added.
setup-rule-deleted = Rule { $rule } deleted. Undo brings it back.
setup-rule-inside = Too many inside
setup-rule-people = Too many in a zone
setup-rule-waiting-seconds = Somebody waits too long
setup-rule-lost-minutes = Camera lost
setup-rule-uncounted-minutes = Nobody counted while open
setup-rule-name-inside = full
setup-rule-name-people = crowd
setup-rule-name-waiting-seconds = queue
setup-rule-name-lost-minutes = no camera
setup-rule-name-uncounted-minutes = nobody
setup-in-zone = in zone
setup-zone-of = Zone of { $shape }
setup-choose-zone = choose a zone
setup-zone-missing = { $zone } (not drawn)
setup-limit-of = Limit of { $shape } in { $unit }
setup-limit-visitors = more than
setup-limit-seconds = longer than
setup-limit-minutes = longer than
setup-unit-visitors = visitors
setup-unit-seconds = seconds
setup-unit-minutes = minutes
setup-says-inside = { $name }: more than { $limit ->
    [one] { $limit } visitor
   *[other] { $limit } visitors
} inside
setup-says-people = { $name }: more than { $limit ->
    [one] { $limit } visitor
   *[other] { $limit } visitors
} in zone { $zone }
setup-says-waiting-seconds = { $name }: somebody in zone { $zone } for longer than { $duration }
setup-says-lost-minutes = { $name }: no picture for longer than { $duration }
setup-says-uncounted-minutes = { $name }: open for longer than { $duration }, and nobody counted

setup-conflict = This setup has changed since you opened it. Saving replaces it.
setup-theirs = Show the new one
setup-is-new = This is the new setup.
setup-reset = Back to the settings
setup-is-reset = Everything is as the settings say. Save to keep that.
setup-cancel = Cancel
setup-changes = There are changes: save or cancel them.
setup-saved = The setup of camera { $camera } is saved. It counts from the next picture on.

## The connection to the server

connection-connecting = Connecting…
connection-connected = Connected
connection-again = Connected to Footfall again
connection-lost = Connection to Footfall lost
connection-not = This page is not connected to Footfall.
connection-none-advice = There is no data yet. Is Footfall running, and can this device reach it?
connection-old-advice = The data below is from { $time }. Is Footfall running, and can this device reach it?
connection-retry = Not connected to Footfall since { $time }; retrying in { $seconds } s
connection-retrying = Not connected to Footfall since { $time }; retrying now
connection-refused = Refused
connection-refused-because = Refused: { $reason }
connection-refused-page = Footfall refused this page.
connection-refused-advice = Open it at the address that Footfall prints when it starts.

## States of cameras

camera-state-live = live
camera-state-still = live, nothing moves
camera-state-unknown = unknown
camera-advice-unknown = Waiting for the broker.
camera-state-starting = starting
camera-advice-starting = Waiting for the first picture.
camera-state-lost = lost
camera-advice-lost = Check its cable, address or file. Footfall retries automatically.
camera-state-paused = paused
camera-advice-paused = Not counting until it is resumed.
camera-state-ended = ended
camera-advice-ended = The file was played to its end. Restart capture to play it again.
camera-state-offline = offline
camera-advice-offline = Start its capture module, or check the module's log.
camera-state-silent = silent
camera-advice-silent = Capture is running, but nothing is predicted. Is the classifier running?

## States of modules

module-state-running = running
module-state-starting = starting
module-state-paused = paused
module-advice-paused = Not counting until it is resumed.
module-state-ended = ended
module-advice-ended = The file was played to its end. Restart capture to play it again.
module-state-offline = offline
module-advice-offline = Start it, or check its log.
module-state-absent = not running
module-advice-absent = Counting does not need it.
module-state-unknown = unknown
module-state-silent = silent
module-advice-silent = It has stopped reporting. Check its machine, network and log.
module-state-camera-lost = camera lost
module-advice-camera-lost = Check the camera's cable, address or file. Footfall retries automatically.
module-state-matrix-lost = matrix lost
module-advice-matrix-lost = Check that the Sense HAT is attached. Counting continues.
module-state-model-refused = model refused
module-advice-model-refused = The previous model stays active. Replace the refused model.
module-state-ledger-unavailable = ledger unavailable
module-advice-ledger-unavailable = Free disk space, or repair the disk. The broker queues predictions meanwhile.
module-state-name-taken = twice on the broker
module-advice-name-taken = Stop one of the two programs. Until then counts are wrong or incomplete.
module-state-outbox-unavailable = outbox unavailable
module-advice-outbox-unavailable = Free disk space, or repair the disk. Counting continues; the broker queues results meanwhile.
module-crashed = it crashed or lost its connection to the broker

## System

system-modules = Modules
system-no-module = No module has reported yet.
system-no-module-hint = Modules report every ten seconds.
system-changes = Last changes
system-no-change = No changes since this page was opened.
system-change = { $subject }: { $state }
system-change-because = { $subject }: { $state }: { $reason }
system-broker = broker
system-broker-connected = connected
system-broker-disconnected = disconnected
system-camera = camera { $name }
system-metrics = metrics
system-metrics-of = metrics of { $name }
system-per-second = { $value } ({ $rate } per second)
system-frames = { $rate } frames per second
system-predictions = { $rate } predictions per second
system-predictions-in = { $rate } predictions per second received
system-inference = { $time } each
system-visits = { $visits ->
    [one] { $visits } visit since it started
   *[other] { $visits } visits since it started
}
system-outbox = { $results ->
    [one] { $results } result waiting to be forwarded
   *[other] { $results } results waiting to be forwarded
}
system-update = wanted model: { $state }
system-update-because = wanted model: { $state } ({ $detail })
system-cameras = Cameras
system-column-state = State
system-column-frames = Frames per second
system-column-predictions = Predictions per second
system-column-predicted = Last prediction
system-column-dropped = Frames dropped
system-ago = { $duration } ago
system-now = just now
system-dropped-none = none
system-dropped = { $frames } { $why } ({ $module })
system-dropped-all = { $frames } { $why } ({ $module }, all cameras)
milliseconds = { $value } ms
model-state-downloading = downloading
model-state-waiting = waiting
model-state-trying = being tried
model-state-serving = serving
model-state-refused = refused
model-state-failed = failed
model-state-rolled-back = rolled back

## System: names and colours

site = This place
site-name = Name of the place
site-locale = Language, dates and numbers
site-locale-browser = as each browser says
site-locale-example = For example: { $date }, { $number }
site-labels = Names and colours of labels
site-no-labels = The labels appear here once a classifier has reported.
site-column-label = Label
site-column-name = Shown as
site-column-colour = Colour
site-name-of = Name of { $label }
site-colour-of = Colour of { $label }
site-colour-reset = Reset
site-colour-reset-of = Reset the colour of { $label }
site-similar = Hard to tell from { $label }.
site-too-light = Too light for a light page, which shows it darker.
site-too-dark = Too dark for a dark page, which shows it lighter.
site-note = Names and colours are for everybody who opens this page. Files, messages and reports for programs keep the labels of the model.
site-discard = Discard changes
site-saving = Saving…
site-saved = Saved.

## Reasons why frames and messages were dropped

drop-for-newer = replaced by a newer one
drop-old = too old
drop-ahead = ahead of the clock
drop-late = too late
drop-paused = while paused
drop-camera = of cameras that are not allowed
drop-offline = without the broker
drop-unsent = not sent in time
drop-queue-full = because the queue for the broker was full
drop-questions = questions because too many were waiting
drop-results = results because the outbox was full

## Metrics

metric-dropped = dropped { $why }
metric-frames-in = frames received
metric-frames-out = frames sent
metric-predictions-in = predictions received
metric-predictions-out = predictions published
metric-visits-in = visits received
metric-visits-out = visits published
metric-crossings-in = crossings received
metric-crossings-out = crossings published
metric-visits = visits stored
metric-crossings = crossings stored
metric-inference-ms = time of the last inference
metric-frame-age-ms = time from capture to prediction
metric-prediction-age-ms = time from capture to counting
metric-commit-ms = time to store the last visits
metric-inbox = messages waiting to be processed
metric-queued = messages waiting for the broker
metric-held-back = frames held back because nothing moved
metric-motion = something moves (1) or not (0)
metric-sink-sent = results forwarded
metric-sink-failed = failed attempts to forward a result
metric-sink-refused = results refused by their receiver
metric-edgehub-clients = clients created for edgeHub
metric-edgehub-stuck = calls into the Azure library that have not returned
metric-outbox = results waiting to be forwarded
metric-invalid = invalid messages
metric-too-large = messages that were too large
metric-failed = messages not handled because of an error
metric-drift = visitors who left unseen
metric-seen = labels in predictions
metric-ledger-failed = failed attempts to use the ledger
metric-ledgers-replaced = damaged ledgers replaced
metric-outbox-failed = failed attempts to use the outbox
metric-outboxes-replaced = damaged outboxes replaced
metric-summarys-in = hourly summaries received
metric-summarys-out = hourly summaries published
metric-currentlabels-in = label changes received
metric-currentlabels-out = label changes published
metric-daycounts-in = counts received
metric-daycounts-out = counts published
metric-questions-in = questions received
metric-questions-out = questions published
metric-answers-in = answers received
metric-answers-out = answers published
metric-connect-failed = failed attempts to connect to the broker
metric-disconnected = lost connections to the broker
metric-revived = restarts of the connection's thread
metric-unanswered = questions answered with a problem
metric-clock-stepped = last change of the clock, in seconds
metric-clock-steps = changes of the clock
metric-clock-jump-seconds = jump of the clock, in seconds
metric-health-failed = failed attempts to write the health file
metric-invalid-state = unreadable saved states

## Signing in

sign-in-title = Sign in to Footfall
sign-in-purpose = Sign in to see the cameras and counts of this place.
sign-in-password = Password
sign-in-button = Sign in
sign-in-hint = The password is the setting WEB_PASSWORD.
sign-in-wrong = Wrong password.
sign-in-missing = The password is missing. Try again.
sign-in-incomplete = The password did not arrive completely. Try again.
sign-in-wait = Too many failed attempts. Try again in { $seconds } s.

## Help

help-figures = What the figures mean
help-visitor = Visitor
help-visitor-text = A person or thing to which the model gives one of the counted labels. Each visit counts once, in the hour in which it began. Somebody who comes back later is a new visitor: Footfall recognises nobody.
help-in-out = In, out
help-in-out-text = How often somebody crossed a line in the direction of its arrow, or against it. Without a line, nothing counts as in or out.
help-inside = Inside
help-inside-text = Everybody who has come in today, minus everybody who has gone out. Visitors that the camera misses make it drift; it begins again at 0 each night.
help-undecided = Undecided
help-undecided-text = A visitor whom the model saw, but whose label it could not tell. Undecided visitors are part of the total.
help-sure = Sure
help-sure-text = How sure the model was of the label, at its surest moment of the visit: 100% is completely.
help-no-data = No data
help-no-data-text = The camera was not counting: it was off, lost or paused. That is not the same as 0, which means that it was counting and nobody came.
help-demo = Demo
help-demo-text = Visitors that are drawn, or that a model which only knows drawn figures has found. They are never added to real ones.
help-camera = Set up a camera
help-camera-1 = Open “Today”, and choose “Set up” at the camera.
help-camera-2 = Draw a line where visitors walk through. The arrow points in.
help-camera-3 = Draw a zone where visitors stay, such as the till, to see how many are there and for how long.
help-camera-4 = Draw a mask over everything that the camera should not see, such as the street.
help-camera-5 = Save. It takes effect at once, and only for what is counted from now on.
help-camera-note = Lines and zones need a model that finds where visitors are (a detector).
help-alerts = Alerts
help-alerts-text = An alert says that too many are inside, somebody waits too long, a camera is lost, or nobody was counted while you are open. Set the limits under “Today”, “Set up”, “Alerts”. What is exceeded stands at the top of the page, and above the picture of the camera.
help-names = Names, colours, dates
help-names-text = Under “System”, “This place”, you give the place a name, choose how dates are written, and give labels names and colours of your own. The language of this page is chosen at its foot, by each viewer.
help-reports = Reports
help-reports-text = “Reports” shows days, weeks, months and years beside the period before, and your busiest hours. You can print them, or download them for a spreadsheet.
help-privacy = Privacy
help-privacy-guess = A label is a guess of a model from a picture. It is wrong at times, and it is not what that person says about themselves.
help-privacy-training = A model knows only what it was trained on, and is worse at people who are rare in its training pictures. Count by hand for a while, and compare. Use totals, not single visits.
help-privacy-stored = No picture and no face is stored, except when somebody collects pictures for training. Stored are label, times, direction and zones of each visit.
help-privacy-page = Whoever sees this page sees live pictures of your visitors. Give its password to nobody else.
help-privacy-sign = Put up a sign before the camera: that a camera counts visitors, which labels are counted, that no picture is kept, which data is kept and for how long, and whom to ask.
help-docs = Documentation
help-docs-text = The whole documentation is in the folder “docs” of Footfall. Begin with docs/README.md. Settings are in docs/settings.md, privacy and an example of a sign in docs/privacy.md, known problems in docs/troubleshooting.md.

## Reports

reports-units = Period
reports-day = Day
reports-by-week = Week
reports-month = Month
reports-year = Year
reports-move = Earlier or later
reports-previous = { $unit ->
    [day] Day before
    [week] Week before
    [month] Month before
   *[year] Year before
}
reports-next = { $unit ->
    [day] Next day
    [week] Next week
    [month] Next month
   *[year] Next year
}
reports-current = { $unit ->
    [day] Today
    [week] This week
    [month] This month
   *[year] This year
}
reports-measure = Show
reports-visits = Visits
reports-in = In
reports-out = Out
reports-zones = Time in zones
reports-open = Only opening hours
reports-week = Week { $week }
reports-week-title = Week { $week }, { $days }
reports-beside = Compared with { $period }.
reports-so-far = So far, until { $time }. Compared with { $period } until the same time.
reports-demo = Demo: these visitors are not real.
reports-no-counter = No answer from the counter: { $problem }
reports-no-server = Footfall does not answer.
reports-refused = This report is not possible: { $problem }
reports-retry = Try again
reports-empty = No data: nothing was counted in this period.
reports-closed = Closed: this period has no opening hours.
reports-visitors = Visitors
reports-was = { $period }: { $number }
reports-stays = { $visits ->
    [one] { $visits } visit, mean stay { $mean }
   *[other] { $visits } visits, mean stay { $mean }
}
reports-change = Change
reports-counted = { $period }: counted { $share } of the time.
reports-counted-each = { $period }: counted of the time: { $cameras }.
reports-chart = { $measure }, { $period }.
reports-chart-without = No data: { $steps }.
reports-chart-table = The table below has the numbers.
reports-step = { $step }: { $number }
reports-step-counted = counted { $share } of the time
reports-caption = { $measure }: { $period }
reports-busiest = Busiest times
reports-busiest-in = { $measure } per hour on average, { $days }
reports-peak = { $hour }: { $number } on average.
reports-peak-none = No busiest hour yet.
reports-hour-of-week = { $day }, { $hour }
reports-up-to = up to { $number }
reports-files = Download and print
reports-csv = CSV
reports-json = JSON
reports-print = Print
reports-paper = { $site } · { $period } · printed { $time }. Labels are predictions of a model and can be wrong.
