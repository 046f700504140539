# Die Texte der Seite auf Deutsch. Siehe docs/languages.md.

## Zeiten und Zahlen

hour = { $from }–{ $to } Uhr
your-time = { $time } bei Ihnen
ahead = { $duration } voraus
behind = { $duration } zurück
seconds = { $seconds } s
minutes = { $minutes } min
minutes-seconds = { $minutes } min { $seconds } s
hours = { $hours } h
hours-minutes = { $hours } h { $minutes } min
days = { $days ->
    [one] { $days } Tag
   *[other] { $days } Tage
}

## Kopf und Fuß

title = Footfall
skip = Zum Inhalt
view-today = Heute
view-reports = Berichte
view-system = System
view-help = Hilfe
views = Ansichten
language = Sprache
try-now = Jetzt versuchen
sign-out = Abmelden
labels-note = Bezeichnungen sind Vorhersagen eines Modells und können falsch sein. Bilder werden nicht gespeichert.
version = Footfall { $version }

## Speichern

save = Speichern
not-saved = Nicht gespeichert: { $problem }
not-saved-shape = Nicht gespeichert: { $shape } { $problem }
not-saved-no-response = Der Server hat nicht geantwortet. Versuchen Sie es noch einmal.

## Bezeichnungen

undecided = unentschieden

## Die oberste Zeile

is-it-working = Läuft alles?
connecting-to = Verbindung mit Footfall wird hergestellt …
counting = zählt
counting-cameras = { $cameras ->
    [one] Zählt. { $cameras } Kamera liefert Bilder.
   *[other] Zählt. { $cameras } Kameras liefern Bilder.
}
visitors-today = { $visitors } Besucher heute
demo-visitors-today = { $visitors } Demo-Besucher heute
no-data-today = noch keine Daten für heute
also = Außerdem: { $problems }
all-offline = Zählt nicht: Alle Module sind offline.
all-offline-advice = Starten Sie Footfall, falls es angehalten ist; diese Seite verbindet sich wieder.
nothing-reported = Noch hat sich keine Kamera gemeldet. Läuft das Modul capture?
nothing-reported-advice = Starten Sie das Modul capture, oder sehen Sie in seinem Protokoll nach. Die Kamera erscheint hier, sobald sie sich meldet.
broker-lost = Keine Verbindung zum Broker seit { $time }.
broker-lost-advice = Läuft Mosquitto? Footfall verbindet sich von selbst wieder.
module = Modul { $name }
camera-name = Kamera { $name }
state-of = { $subject }: { $state }
state-since = { $subject }: { $state } seit { $time }
demo-only = Demo: Diese Besucher sind nicht echt.
demo-counted = Demo an { $cameras }: Die Besucher dort sind nicht echt. Die Summen aller Kameras enthalten sie nicht.
demo-live = Demo an { $cameras }: Die Besucher dort sind nicht echt. Die heutigen Summen enthalten sie nicht.

## Heute

today = Heute
camera = Kamera
all-cameras = Alle Kameras
unknown = unbekannt
no-data = keine Daten
all = Alle
in = hinein
out = hinaus
inside = drinnen
counts-unknown = Zahlen unbekannt: { $problem }
counts-are-old = Die heutigen Zahlen sind nicht verfügbar: { $problem }. Angezeigt werden die letzten bekannten.
no-counts = Noch keine Zahlen.
no-counts-hint = Das Modul counter liefert sie. Läuft es?
figure-visitors = Besucher
figure-in = Eintritte
figure-out = Austritte
figure-inside = jetzt drinnen
figure-change = { $change } ({ $before })
against = In Klammern: { $day }, beide bis { $time }
by-hour = Nach Stunden
chart-shows = Das Diagramm zeigt
show-visits = Besuche
show-flow = Ein- und Austritte
chart-visits = Besuche pro Stunde
chart-flow = Ein- und Austritte pro Stunde
chart-counts = { $subject }. { $counts }. Die Tabelle darunter nennt sie nach Bezeichnung.
chart-empty = { $subject }: noch keine.
chart-missing = Keine Daten: { $hours }.
no-data-key = Keine Daten: Die Kamera hat nicht gezählt
readout = { $time }: { $counts }
readout-beside = { $time }: { $counts } · { $before } am { $day }
crossed-in = { $number ->
    [one] { $number } Eintritt
   *[other] { $number } Eintritte
}
crossed-out = { $number ->
    [one] { $number } Austritt
   *[other] { $number } Austritte
}
no-visits = keine Besuche
not-yet = noch nicht
busiest = { $visitors ->
    [one] Am meisten los: { $time } mit { $visitors } Besucher
   *[other] Am meisten los: { $time } mit { $visitors } Besuchern
}
compare = Vergleichen mit
yesterday = gestern
week-ago = vor einer Woche
none = nichts
loading = Wird geladen …
loading-failed = Laden fehlgeschlagen: { $problem }
no-response = Der Server hat nicht geantwortet. Wählen Sie den Tag noch einmal.
as-table = Zahlen als Tabelle
table-of-visits = Tabelle der Besuche nach Stunde und Bezeichnung
table-visits = Besuche, die in der jeweiligen Stunde begannen
table-flow = Ein- und Austritte in der jeweiligen Stunde
hour-column = Stunde
column-in = Eintritte
column-out = Austritte
zone-visits = { $zone }: Besuche
zone-stay = { $zone }: mittlere Verweildauer
csv-visits = { $day } als CSV
csv-crossings = Ein- und Austritte
csv-zones = Zonen
zone-unknown = Die Zeitzone des Ortes ist unbekannt: Die Stunden sind die des Ortes, andere Zeiten die dieses Geräts
times = Zeiten gelten für den Ort ({ $zone })
times-differ = Zeiten gelten für den Ort ({ $zone }); Ihre Zeit ist { $offset }
share-of-time = { $counted } von { $passed }
counted-share = gezählt { $share }
camera-share = { $camera } { $share }
partly-counted = teilweise gezählt: { $cameras }
others = und andere
coverage-of-day = { $day }: { $coverage }.
whole-pictures = Das Modell dieser Kamera betrachtet ganze Bilder. Linien und Zonen zählen nur mit einem Detektor.
inside-since = drinnen: gezählt seit { $time }
drift = { $visitors ->
    [one] { $visitors } Besucher ging, der ungesehen gekommen war
   *[other] { $visitors } Besucher gingen, die ungesehen gekommen waren
}
zone-now = { $visitors } jetzt
zone-empty = heute keine Besuche
zone-today = { $visits ->
    [one] { $visits } Besuch heute, { $mean } im Durchschnitt
   *[other] { $visits } Besuche heute, { $mean } im Durchschnitt
}
last-visits = Letzte Besuche
visit-began = Beginn
visit-label = Bezeichnung
visit-camera = , Kamera
visit-length = Dauer
visit-peak = Sicher
visits-unknown = Besuche unbekannt: { $problem }
no-visits-yet = Heute noch keine Besuche.
no-visit-hint = Ein Besuch erscheint hier, wenn er zu Ende ist.
camera-of-demo = { $camera }, Demo

## Live-Bilder

live = Live
lines-and-zones = Linien und Zonen
set-up = Einrichten
set-up-camera = Kamera { $name } einrichten: Linien, Zonen, Masken
no-camera = Noch hat sich keine Kamera gemeldet.
no-camera-hint = Läuft das Modul capture? Die Kamera erscheint hier, sobald sie sich meldet.
picture-of = Bild der Kamera { $camera }
picture-age = Dieses Bild ist { $age } alt.
current-visit = Besuch: { $label } seit { $time }
last-visitor = zuletzt: { $label } seit { $time }
no-current-visit = zurzeit kein Besuch
waiting-for-picture = Das erste Bild wird erwartet
camera-is = Kamera { $state }
no-broker = Keine Verbindung zum Broker
since = seit { $time }
visitor = Besucher
visitors-in-view = { $visitors } Besucher
not-classified = nicht klassifiziert
nobody = niemand
nobody-label = niemand ({ $label })
unsure = unsicher, vielleicht { $label }
alert-at = Alarm { $rule } an { $camera }: { $alert }.
alert-inside = { $value } Besucher drinnen, mehr als { $limit }
alert-people = { $value } Besucher in Zone { $zone }, mehr als { $limit }
alert-waiting-seconds = Jemand ist seit mehr als { $duration } in Zone { $zone }
alert-lost-minutes = Seit { $duration } wurde kein Bild gezählt
alert-uncounted-minutes = Seit { $duration } geöffnet, und niemand wurde gezählt
alert-other = { $kind } über { $limit }
alert-since = { $alert }; seit { $time }
led-matrix = LED-Matrix
display-shows = Anzeige { $name } zeigt { $label }
display-dark = Anzeige { $name } ist dunkel
display-unknown = Anzeige { $name }: Zustand unbekannt
dark = dunkel
shown-now = wird angezeigt
no-label-shown = keine Bezeichnung angezeigt

## Kamera einrichten

setup-title = Kamera { $camera } einrichten
setup-draw = Zeichnen
setup-add-line = Linie hinzufügen
setup-add-zone = Zone hinzufügen
setup-add-mask = Maske hinzufügen
setup-finish = Fertig
setup-stop = Zeichnen beenden
setup-undo = Rückgängig
setup-none = Noch ist nichts gezeichnet.
setup-none-line = Eine Linie zählt, wer hinein- und hinausgeht.
setup-none-zone = Eine Zone zählt, wer in einem Teil des Bildes ist und wie lange.
setup-none-mask = Eine Maske schwärzt einen Teil des Bildes, bevor es die Kamera verlässt.
setup-shapes = Linien, Zonen und Masken
setup-line = Linie
setup-zone = Zone
setup-mask = Maske
setup-rule = Regel
setup-named = { $kind } { $name }
setup-name = Name
setup-name-of = Name: { $shape }
setup-reverse = Umkehren
setup-reverse-shape = { $shape } umkehren
setup-delete = Löschen
setup-delete-shape = { $shape } löschen
setup-move = { $shape } verschieben
setup-start = Anfang: { $shape }, { $position }
setup-end = Ende: { $shape }, { $position }
setup-corner = Ecke { $number }: { $shape }, { $position }
setup-position = { $x } von links, { $y } von oben
setup-next-point = Nächster Punkt: { $position }. Pfeiltasten bewegen ihn, die Eingabetaste setzt ihn, Escape bricht ab.
setup-draw-start = Klicken Sie, wo die Linie beginnt.
setup-draw-end = Der Anfang ist gesetzt. Klicken Sie, wo die Linie endet.
setup-draw-corner = Klicken Sie auf die erste Ecke.
setup-draw-next = Ecke { $number } ist gesetzt. Klicken Sie auf die nächste Ecke.
setup-draw-close = Ecke { $number } ist gesetzt. Zum Abschließen klicken Sie auf die erste Ecke oder drücken die Eingabetaste.
setup-draw-keys = { $hint } Oder bewegen Sie das Kreuz mit den Pfeiltasten und drücken die Eingabetaste.
setup-two-ends = Eine Linie hat zwei Enden.
setup-three-corners = Setzen Sie mindestens drei Ecken.
setup-nothing-added = Nichts wurde hinzugefügt.
setup-added = { $shape } hinzugefügt.
setup-added-but = { $shape } hinzugefügt, aber sie { $problem }.
setup-in-down = Hinein geht es nach unten.
setup-in-up = Hinein geht es nach oben.
setup-in-left = Hinein geht es nach links.
setup-in-right = Hinein geht es nach rechts.
setup-moved = { $shape } verschoben.
setup-reversed = { $shape } umgekehrt.
setup-corner-deleted = Ecke { $number } gelöscht: { $shape }.
setup-last-corners = Drei Ecken sind das Minimum. Löschen Sie die ganze Form bei ihrem Namen.
setup-deleted = { $shape } gelöscht. „Rückgängig“ holt sie zurück.
setup-undone = Rückgängig gemacht.
setup-nothing-to-undo = Es gibt nichts rückgängig zu machen.

# Was falsch ist, folgt auf den Namen einer Linie, Zone, Maske oder Regel.
setup-wrong = { $shape } { $problem }.
setup-this = Diese { $kind } { $problem }.
setup-problem-no-name = hat keinen Namen
setup-problem-same-name = hat den Namen einer anderen { $kind }
setup-problem-short = ist zu kurz
setup-problem-small = ist zu klein
setup-problem-crosses = schneidet sich selbst
setup-problem-corners = hat { $corners } Ecken; erlaubt sind 3 bis { $most }
setup-problem-limit-visitors = braucht eine ganze Zahl von 0 bis { $most }
setup-problem-limit-seconds = braucht einen Grenzwert über 0 und bis { $most } Sekunden
setup-problem-limit-minutes = braucht einen Grenzwert über 0 und bis { $most } Minuten
setup-problem-zone = braucht eine Zone
setup-problem-zone-missing = braucht eine andere Zone: { $zone } ist nicht gezeichnet

setup-as-settings = wie in den Einstellungen
setup-visitors-settings = Besucher: wie in den Einstellungen
setup-visitors-own = Besucher: { $ticked ->
    [one] { $ticked } Klasse
   *[other] { $ticked } Klassen
}
setup-visitors-about = Was das Modell findet, zählt als Besucher, wenn es zu einer dieser Klassen gehört.
setup-classes = Klassen, die als Besucher zählen
setup-classes-note = { $ticked } von { $all } gewählt. Wählen Sie mindestens eine.
setup-classes-note-most = { $ticked } von { $all } gewählt. Wählen Sie mindestens eine und höchstens { $most }.
setup-no-classes = Wählen Sie mindestens eine Klasse von Besuchern.

setup-alerts-settings = Alarme: wie in den Einstellungen ({ $rules ->
    [0] keine Regeln
    [one] { $rules } Regel
   *[other] { $rules } Regeln
}{ $wrong ->
    [0] {""}
   *[other] , { $wrong } unvollständig
})
setup-alerts-own = Alarme: { $rules ->
    [0] keine Regeln
    [one] { $rules } Regel
   *[other] { $rules } Regeln
}{ $wrong ->
    [0] {""}
   *[other] , { $wrong } unvollständig
}
setup-alerts-about = Ein Alarm wird auf der Seite angezeigt und an andere Systeme gemeldet, solange sein Grenzwert überschritten ist.
setup-rules = Regeln für Alarme
setup-rules-none = Es gibt keine Regeln: Diese Kamera löst keine Alarme aus.
setup-rules-most = Mehr als { $most } Regeln sind nicht möglich.
setup-rule-kind = Art der neuen Regel
setup-add-rule = Regel hinzufügen
setup-rule-added = Regel { $rule } hinzugefügt.
setup-rule-deleted = Regel { $rule } gelöscht. „Rückgängig“ holt sie zurück.
setup-rule-inside = Zu viele drinnen
setup-rule-people = Zu viele in einer Zone
setup-rule-waiting-seconds = Jemand wartet zu lange
setup-rule-lost-minutes = Kamera ausgefallen
setup-rule-uncounted-minutes = Niemand gezählt, obwohl geöffnet
setup-rule-name-inside = voll
setup-rule-name-people = Andrang
setup-rule-name-waiting-seconds = Warteschlange
setup-rule-name-lost-minutes = Kameraausfall
setup-rule-name-uncounted-minutes = niemand da
setup-in-zone = in Zone
setup-zone-of = Zone: { $shape }
setup-choose-zone = Zone wählen
setup-zone-missing = { $zone } (nicht gezeichnet)
setup-limit-of = Grenzwert in { $unit }: { $shape }
setup-limit-visitors = mehr als
setup-limit-seconds = länger als
setup-limit-minutes = länger als
setup-unit-visitors = Besucher
setup-unit-seconds = Sekunden
setup-unit-minutes = Minuten
setup-says-inside = { $name }: mehr als { $limit ->
    [one] { $limit } Besucher
   *[other] { $limit } Besucher
} drinnen
setup-says-people = { $name }: mehr als { $limit ->
    [one] { $limit } Besucher
   *[other] { $limit } Besucher
} in Zone { $zone }
setup-says-waiting-seconds = { $name }: jemand ist länger als { $duration } in Zone { $zone }
setup-says-lost-minutes = { $name }: kein Bild seit mehr als { $duration }
setup-says-uncounted-minutes = { $name }: seit mehr als { $duration } geöffnet und niemand gezählt

setup-conflict = Diese Einrichtung wurde geändert, seit Sie sie geöffnet haben. Speichern ersetzt sie.
setup-theirs = Die neue anzeigen
setup-is-new = Dies ist die neue Einrichtung.
setup-reset = Auf Einstellungen zurücksetzen
setup-is-reset = Alles ist wie in den Einstellungen. Speichern Sie, damit es so bleibt.
setup-cancel = Abbrechen
setup-changes = Es gibt Änderungen: Speichern Sie sie oder brechen Sie ab.
setup-saved = Die Einrichtung der Kamera { $camera } ist gespeichert. Sie gilt ab dem nächsten Bild.

## Die Verbindung zum Server

connection-connecting = Wird verbunden …
connection-connected = Verbunden
connection-again = Wieder mit Footfall verbunden
connection-lost = Verbindung zu Footfall verloren
connection-not = Diese Seite ist nicht mit Footfall verbunden.
connection-none-advice = Es gibt noch keine Daten. Läuft Footfall, und ist es von diesem Gerät aus erreichbar?
connection-old-advice = Die Daten unten sind von { $time }. Läuft Footfall, und ist es von diesem Gerät aus erreichbar?
connection-retry = Nicht mit Footfall verbunden seit { $time }; neuer Versuch in { $seconds } s
connection-retrying = Nicht mit Footfall verbunden seit { $time }; neuer Versuch läuft
connection-refused = Abgelehnt
connection-refused-because = Abgelehnt: { $reason }
connection-refused-page = Footfall hat diese Seite abgelehnt.
connection-refused-advice = Öffnen Sie sie unter der Adresse, die Footfall beim Start ausgibt.

## Zustände von Kameras

camera-state-live = live
camera-state-still = live, nichts bewegt sich
camera-state-unknown = unbekannt
camera-advice-unknown = Warten auf den Broker.
camera-state-starting = startet
camera-advice-starting = Warten auf das erste Bild.
camera-state-lost = ausgefallen
camera-advice-lost = Prüfen Sie Kabel, Adresse oder Datei. Footfall versucht es von selbst weiter.
camera-state-paused = angehalten
camera-advice-paused = Sie zählt erst wieder, wenn sie fortgesetzt wird.
camera-state-ended = beendet
camera-advice-ended = Die Datei wurde bis zum Ende abgespielt. Starten Sie das Modul capture neu, um sie noch einmal abzuspielen.
camera-state-offline = offline
camera-advice-offline = Starten Sie ihr Modul capture, oder sehen Sie in dessen Protokoll nach.
camera-state-silent = stumm
camera-advice-silent = Das Modul capture läuft, aber es gibt keine Vorhersagen. Läuft das Modul classifier?

## Zustände von Modulen

module-state-running = läuft
module-state-starting = startet
module-state-paused = angehalten
module-advice-paused = Es zählt erst wieder, wenn es fortgesetzt wird.
module-state-ended = beendet
module-advice-ended = Die Datei wurde bis zum Ende abgespielt. Starten Sie das Modul capture neu, um sie noch einmal abzuspielen.
module-state-offline = offline
module-advice-offline = Starten Sie es, oder sehen Sie in seinem Protokoll nach.
module-state-absent = läuft nicht
module-advice-absent = Die Zählung braucht es nicht.
module-state-unknown = unbekannt
module-state-silent = stumm
module-advice-silent = Es meldet sich nicht mehr. Prüfen Sie Gerät, Netz und Protokoll.
module-state-camera-lost = Kamera ausgefallen
module-advice-camera-lost = Prüfen Sie Kabel, Adresse oder Datei der Kamera. Footfall versucht es von selbst weiter.
module-state-matrix-lost = Matrix ausgefallen
module-advice-matrix-lost = Prüfen Sie, ob der Sense HAT angeschlossen ist. Die Zählung geht weiter.
module-state-model-refused = Modell abgelehnt
module-advice-model-refused = Das vorige Modell bleibt in Betrieb. Ersetzen Sie das abgelehnte.
module-state-ledger-unavailable = Speicher der Besuche nicht verfügbar
module-advice-ledger-unavailable = Schaffen Sie Platz auf dem Datenträger, oder reparieren Sie ihn. Der Broker hebt die Vorhersagen so lange auf.
module-state-name-taken = doppelt am Broker
module-advice-name-taken = Beenden Sie eines der beiden Programme. Bis dahin sind Zahlen falsch oder unvollständig.
module-state-outbox-unavailable = Postausgang nicht verfügbar
module-advice-outbox-unavailable = Schaffen Sie Platz auf dem Datenträger, oder reparieren Sie ihn. Die Zählung geht weiter; der Broker hebt die Ergebnisse so lange auf.
module-crashed = es ist abgestürzt oder hat die Verbindung zum Broker verloren

## System

system-modules = Module
system-no-module = Noch kein Modul hat sich gemeldet.
system-no-module-hint = Module melden sich alle zehn Sekunden.
system-changes = Letzte Änderungen
system-no-change = Keine Änderungen, seit diese Seite geöffnet wurde.
system-change = { $subject }: { $state }
system-change-because = { $subject }: { $state }: { $reason }
system-broker = Broker
system-broker-connected = verbunden
system-broker-disconnected = nicht verbunden
system-camera = Kamera { $name }
system-metrics = Messwerte
system-metrics-of = Messwerte von { $name }
system-per-second = { $value } ({ $rate } pro Sekunde)
system-frames = { $rate } Bilder pro Sekunde
system-predictions = { $rate } Vorhersagen pro Sekunde
system-predictions-in = { $rate } Vorhersagen pro Sekunde empfangen
system-inference = { $time } pro Vorhersage
system-visits = { $visits ->
    [one] { $visits } Besuch seit dem Start
   *[other] { $visits } Besuche seit dem Start
}
system-outbox = { $results ->
    [one] { $results } Ergebnis noch nicht weitergeleitet
   *[other] { $results } Ergebnisse noch nicht weitergeleitet
}
system-update = gewünschtes Modell: { $state }
system-update-because = gewünschtes Modell: { $state } ({ $detail })
system-cameras = Kameras
system-column-state = Zustand
system-column-frames = Bilder pro Sekunde
system-column-predictions = Vorhersagen pro Sekunde
system-column-predicted = Letzte Vorhersage
system-column-dropped = Verworfene Bilder
system-ago = vor { $duration }
system-now = gerade eben
system-dropped-none = keine
system-dropped = { $frames } { $why } ({ $module })
system-dropped-all = { $frames } { $why } ({ $module }, alle Kameras)
milliseconds = { $value } ms
model-state-downloading = wird heruntergeladen
model-state-waiting = wartet
model-state-trying = wird geprüft
model-state-serving = in Betrieb
model-state-refused = abgelehnt
model-state-failed = fehlgeschlagen
model-state-rolled-back = zurückgesetzt

## System: Namen und Farben

site = Dieser Ort
site-name = Name des Ortes
site-locale = Sprache, Datum und Zahlen
site-locale-browser = wie im Browser eingestellt
site-locale-example = Zum Beispiel: { $date }, { $number }
site-labels = Namen und Farben der Bezeichnungen
site-no-labels = Die Bezeichnungen erscheinen hier, sobald sich das Modul classifier gemeldet hat.
site-column-label = Bezeichnung
site-column-name = Angezeigt als
site-column-colour = Farbe
site-name-of = Name für { $label }
site-colour-of = Farbe von { $label }
site-colour-reset = Zurücksetzen
site-colour-reset-of = Farbe von { $label } zurücksetzen
site-similar = Schwer zu unterscheiden von { $label }.
site-too-light = Zu hell für eine helle Seite; dort wird sie dunkler gezeigt.
site-too-dark = Zu dunkel für eine dunkle Seite; dort wird sie heller gezeigt.
site-note = Namen und Farben gelten für alle, die diese Seite öffnen. Dateien, Nachrichten und Berichte für Programme behalten die Bezeichnungen des Modells.
site-discard = Änderungen verwerfen
site-saving = Wird gespeichert …
site-saved = Gespeichert.

## Gründe, aus denen Bilder und Nachrichten verworfen wurden

drop-for-newer = durch ein neueres ersetzt
drop-old = zu alt
drop-ahead = der Uhr voraus
drop-late = zu spät
drop-paused = während einer Pause
drop-camera = von nicht zugelassenen Kameras
drop-offline = ohne Broker
drop-unsent = nicht rechtzeitig gesendet
drop-queue-full = weil die Warteschlange zum Broker voll war
drop-questions = Anfragen, weil zu viele warteten
drop-results = Ergebnisse, weil der Postausgang voll war

## Messwerte

metric-dropped = verworfen: { $why }
metric-frames-in = empfangene Bilder
metric-frames-out = gesendete Bilder
metric-predictions-in = empfangene Vorhersagen
metric-predictions-out = gesendete Vorhersagen
metric-visits-in = empfangene Besuche
metric-visits-out = gesendete Besuche
metric-crossings-in = empfangene Ein- und Austritte
metric-crossings-out = gesendete Ein- und Austritte
metric-visits = gespeicherte Besuche
metric-crossings = gespeicherte Ein- und Austritte
metric-inference-ms = Dauer der letzten Vorhersage
metric-frame-age-ms = Zeit von der Aufnahme bis zur Vorhersage
metric-prediction-age-ms = Zeit von der Aufnahme bis zur Zählung
metric-commit-ms = Dauer des letzten Speicherns von Besuchen
metric-inbox = Nachrichten, die auf die Verarbeitung warten
metric-queued = Nachrichten, die auf den Broker warten
metric-held-back = zurückgehaltene Bilder, weil sich nichts bewegte
metric-motion = etwas bewegt sich (1) oder nicht (0)
metric-sink-sent = weitergeleitete Ergebnisse
metric-sink-failed = gescheiterte Versuche, ein Ergebnis weiterzuleiten
metric-sink-refused = vom Empfänger abgelehnte Ergebnisse
metric-edgehub-clients = Clients für edgeHub
metric-edgehub-stuck = Aufrufe der Azure-Bibliothek, die nicht zurückgekehrt sind
metric-outbox = Ergebnisse, die auf die Weiterleitung warten
metric-invalid = ungültige Nachrichten
metric-too-large = zu große Nachrichten
metric-failed = wegen eines Fehlers nicht verarbeitete Nachrichten
metric-drift = unbemerkt Hinausgegangene
metric-seen = Bezeichnungen in Vorhersagen
metric-ledger-failed = gescheiterte Zugriffe auf den Speicher der Besuche
metric-ledgers-replaced = ersetzte beschädigte Speicher der Besuche
metric-outbox-failed = gescheiterte Zugriffe auf den Postausgang
metric-outboxes-replaced = ersetzte beschädigte Postausgänge
metric-summarys-in = empfangene Stundenberichte
metric-summarys-out = gesendete Stundenberichte
metric-currentlabels-in = empfangene Wechsel der Bezeichnung
metric-currentlabels-out = gesendete Wechsel der Bezeichnung
metric-daycounts-in = empfangene Zählungen
metric-daycounts-out = gesendete Zählungen
metric-questions-in = empfangene Anfragen
metric-questions-out = gesendete Anfragen
metric-answers-in = empfangene Antworten
metric-answers-out = gesendete Antworten
metric-connect-failed = gescheiterte Verbindungen zum Broker
metric-disconnected = verlorene Verbindungen zum Broker
metric-revived = Neustarts des Threads der Verbindung
metric-unanswered = mit einem Problem beantwortete Anfragen
metric-clock-stepped = letzte Änderung der Uhr, in Sekunden
metric-clock-steps = Änderungen der Uhr
metric-clock-jump-seconds = Sprung der Uhr, in Sekunden
metric-health-failed = gescheiterte Versuche, die Datei „health“ zu schreiben
metric-invalid-state = unlesbare gespeicherte Zustände

## Anmelden

sign-in-title = Bei Footfall anmelden
sign-in-purpose = Melden Sie sich an, um die Kameras und Zählungen dieses Ortes zu sehen.
sign-in-password = Passwort
sign-in-button = Anmelden
sign-in-hint = Das Passwort ist die Einstellung WEB_PASSWORD.
sign-in-wrong = Falsches Passwort.
sign-in-missing = Das Passwort fehlt. Versuchen Sie es noch einmal.
sign-in-incomplete = Das Passwort ist nicht vollständig angekommen. Versuchen Sie es noch einmal.
sign-in-wait = Zu viele Fehlversuche. Versuchen Sie es in { $seconds } s noch einmal.

## Hilfe

help-figures = Was die Zahlen bedeuten
help-visitor = Besucher
help-visitor-text = Eine Person oder Sache, die das Modell einer der gezählten Bezeichnungen zuordnet. Jeder Besuch zählt einmal, in der Stunde, in der er begann. Wer später wiederkommt, zählt als neuer Besucher: Footfall erkennt niemanden wieder.
help-in-out = Eintritte, Austritte
help-in-out-text = Wie oft jemand eine Linie in Richtung ihres Pfeils überquert hat (Eintritte) oder gegen sie (Austritte). Ohne Linie gibt es weder Eintritte noch Austritte.
help-inside = Drinnen
help-inside-text = Alle, die heute hineingegangen sind, abzüglich aller, die hinausgegangen sind. Besucher, die der Kamera entgehen, verfälschen die Zahl; jede Nacht beginnt sie wieder bei 0.
help-undecided = Unentschieden
help-undecided-text = Ein Besucher, den das Modell gesehen hat, dessen Bezeichnung es aber nicht bestimmen konnte. Auch er gehört zur Summe.
help-sure = Sicher
help-sure-text = Wie sicher sich das Modell der Bezeichnung war, im sichersten Augenblick des Besuchs: 100 % ist völlig sicher.
help-no-data = Keine Daten
help-no-data-text = Die Kamera hat nicht gezählt: Sie war ausgeschaltet, ausgefallen oder angehalten. Das ist etwas anderes als 0: Dann hat sie gezählt, und niemand kam.
help-demo = Demo
help-demo-text = Besucher, die gezeichnet sind oder die ein Modell gefunden hat, das nur gezeichnete Figuren kennt. Sie werden nie mit echten zusammengezählt.
help-camera = Eine Kamera einrichten
help-camera-1 = Öffnen Sie „Heute“, und wählen Sie bei der Kamera „Einrichten“.
help-camera-2 = Zeichnen Sie eine Linie, wo Besucher hindurchgehen. Der Pfeil zeigt nach drinnen.
help-camera-3 = Zeichnen Sie eine Zone, wo Besucher verweilen, etwa an der Kasse, um zu sehen, wie viele dort sind und wie lange.
help-camera-4 = Zeichnen Sie eine Maske über alles, was die Kamera nicht sehen soll, etwa die Straße.
help-camera-5 = Speichern Sie. Die Einrichtung gilt sofort, aber nur für das, was von jetzt an gezählt wird.
help-camera-note = Linien und Zonen brauchen ein Modell, das erkennt, wo Besucher sind (einen Detektor).
help-alerts = Alarme
help-alerts-text = Ein Alarm sagt, dass zu viele drinnen sind, jemand zu lange wartet, eine Kamera ausgefallen ist oder niemand gezählt wurde, obwohl geöffnet ist. Die Grenzwerte setzen Sie unter „Heute“, „Einrichten“, „Alarme“. Was überschritten ist, steht oben auf der Seite und über dem Bild der Kamera.
help-names = Namen, Farben, Datum
help-names-text = Unter „System“, „Dieser Ort“ geben Sie dem Ort einen Namen, wählen die Schreibweise des Datums und geben Bezeichnungen eigene Namen und Farben. Die Sprache dieser Seite wählt jeder Betrachter selbst, am Fuß der Seite.
help-reports = Berichte
help-reports-text = „Berichte“ zeigt Tage, Wochen, Monate und Jahre neben dem Zeitraum davor, und Ihre Stoßzeiten. Sie können sie drucken oder für eine Tabellenkalkulation herunterladen.
help-privacy = Datenschutz
help-privacy-guess = Eine Bezeichnung ist die Vermutung eines Modells nach einem Bild. Sie ist manchmal falsch, und sie ist nicht das, was dieser Mensch über sich selbst sagt.
help-privacy-training = Ein Modell kennt nur, womit es trainiert wurde, und ist schlechter bei Menschen, die in seinen Trainingsbildern selten sind. Zählen Sie eine Zeit lang von Hand mit, und vergleichen Sie. Nutzen Sie Summen, nicht einzelne Besuche.
help-privacy-stored = Es wird kein Bild und kein Gesicht gespeichert, außer wenn jemand Bilder für ein Training sammelt. Gespeichert werden Bezeichnung, Zeiten, Richtung und Zonen jedes Besuchs.
help-privacy-page = Wer diese Seite sieht, sieht Live-Bilder Ihrer Besucher. Geben Sie das Passwort sonst niemandem.
help-privacy-sign = Stellen Sie vor der Kamera ein Schild auf: dass eine Kamera Besucher zählt, welche Bezeichnungen gezählt werden, dass kein Bild aufbewahrt wird, welche Daten wie lange aufbewahrt werden, und wen man fragen kann.
help-docs = Dokumentation
help-docs-text = Die ganze Dokumentation (auf Englisch) ist im Ordner „docs“ von Footfall. Beginnen Sie mit docs/README.md. Einstellungen stehen in docs/settings.md, Datenschutz und ein Beispiel für ein Schild in docs/privacy.md, bekannte Probleme in docs/troubleshooting.md.

## Berichte

reports-units = Zeitraum
reports-day = Tag
reports-by-week = Woche
reports-month = Monat
reports-year = Jahr
reports-move = Früher oder später
reports-previous = { $unit ->
    [day] Vorheriger Tag
    [week] Vorherige Woche
    [month] Vorheriger Monat
   *[year] Vorheriges Jahr
}
reports-next = { $unit ->
    [day] Nächster Tag
    [week] Nächste Woche
    [month] Nächster Monat
   *[year] Nächstes Jahr
}
reports-current = { $unit ->
    [day] Heute
    [week] Diese Woche
    [month] Dieser Monat
   *[year] Dieses Jahr
}
reports-measure = Anzeigen
reports-visits = Besuche
reports-in = Eintritte
reports-out = Austritte
reports-zones = Zeit in Zonen
reports-open = Nur Öffnungszeiten
reports-week = Woche { $week }
reports-week-title = Woche { $week }, { $days }
reports-beside = Im Vergleich mit: { $period }.
reports-so-far = Bisher, bis { $time }. Im Vergleich mit: { $period }, bis zum selben Zeitpunkt.
reports-demo = Demo: Diese Besucher sind nicht echt.
reports-no-counter = Keine Antwort vom Modul counter: { $problem }
reports-no-server = Footfall antwortet nicht.
reports-refused = Dieser Bericht ist nicht möglich: { $problem }
reports-retry = Erneut versuchen
reports-empty = Keine Daten: In diesem Zeitraum wurde nicht gezählt.
reports-closed = Geschlossen: Dieser Zeitraum hat keine Öffnungszeiten.
reports-visitors = Besucher
reports-was = { $period }: { $number }
reports-stays = { $visits ->
    [one] { $visits } Besuch, im Durchschnitt { $mean }
   *[other] { $visits } Besuche, im Durchschnitt { $mean }
}
reports-change = Änderung
reports-counted = { $period }: { $share } der Zeit gezählt.
reports-counted-each = { $period }: Anteil der gezählten Zeit: { $cameras }.
reports-chart = { $measure }, { $period }.
reports-chart-without = Keine Daten: { $steps }.
reports-chart-table = Die Tabelle darunter enthält die Zahlen.
reports-step = { $step }: { $number }
reports-step-counted = { $share } der Zeit gezählt
reports-caption = { $measure }: { $period }
reports-busiest = Stoßzeiten
reports-busiest-in = { $measure } pro Stunde im Durchschnitt, { $days }
reports-peak = { $hour }: im Durchschnitt { $number }.
reports-peak-none = Noch keine Stoßzeit.
reports-hour-of-week = { $day }, { $hour }
reports-up-to = bis { $number }
reports-files = Herunterladen und drucken
reports-csv = CSV
reports-json = JSON
reports-print = Drucken
reports-paper = { $site } · { $period } · gedruckt: { $time }. Bezeichnungen sind Vorhersagen eines Modells und können falsch sein.
