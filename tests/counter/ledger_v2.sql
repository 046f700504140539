BEGIN TRANSACTION;
CREATE TABLE camera (name TEXT PRIMARY KEY, memory TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "camera" VALUES('door','{"visits":{"timeline":{"last_at":1795392100.5,"session":"session","sequences":{"session":1795392100500},"offset":0.0,"known":1795392100.5,"doubtful":0,"doubted_from":null},"candidates":{},"stay":{"origin":"session 1795392100000","started_at":1795392100.0,"seen_at":1795392100.5,"evidence":{"man":{"total":5.4,"peak":0.9,"frames":6,"probability":0.9,"seen_at":1795392100.5}},"settled":null},"since_own":[],"absence":0.0,"previous":["session 1795392100500",1795392100.5,{"name":"man","probability":0.9,"box":null},false]},"paused_at":null,"forwarded_at":null,"told_upstream":["man","session 1795392100000"],"summed_until":1795392000.0,"is_demo":false}');
CREATE TABLE note (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "note" VALUES('clock','{"passed":0.0,"wall":1795714312.1534965,"began_at":1795714312.1534965,"usual":1795714312.1534965,"jumped_at":0.0,"credited":0.0}');
INSERT INTO "note" VALUES('version','2');
CREATE TABLE outbox (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
  kind INTEGER NOT NULL, body TEXT NOT NULL, properties TEXT NOT NULL
);
INSERT INTO "outbox" VALUES(1,'9c01a0d7-2801-55f5-b231-739f949e4979',1,'{"v": 1, "id": "9c01a0d7-2801-55f5-b231-739f949e4979", "type": "change", "camera": "door", "demo": false, "label": "woman", "at": 1795389000.2, "created": "2026-11-22T23:10:00.200Z", "predictions": [{"tagName": "woman", "probability": 0.9}]}','{"type": "change", "camera": "door", "label": "woman", "probability": "0.9000"}');
INSERT INTO "outbox" VALUES(3,'20f98595-42d0-53ea-8957-58167a3d8e9b',1,'{"v": 1, "id": "20f98595-42d0-53ea-8957-58167a3d8e9b", "type": "change", "camera": "door", "demo": false, "label": null, "at": 1795389001.0, "created": "2026-11-22T23:10:01.000Z", "predictions": []}','{"type": "change", "camera": "door"}');
INSERT INTO "outbox" VALUES(4,'1fd2e6ef-9c03-59c0-8640-75b28707826c',1,'{"v": 1, "id": "1fd2e6ef-9c03-59c0-8640-75b28707826c", "type": "change", "camera": "door", "demo": false, "label": "man", "at": 1795389001.7, "created": "2026-11-22T23:10:01.700Z", "predictions": [{"tagName": "man", "probability": 0.9}]}','{"type": "change", "camera": "door", "label": "man", "probability": "0.9000"}');
INSERT INTO "outbox" VALUES(5,'42bbe849-d5f5-5d55-92f6-5b0a13a7ceca',3,'{"v": 1, "id": "42bbe849-d5f5-5d55-92f6-5b0a13a7ceca", "type": "visit", "camera": "door", "demo": false, "label": "man", "started_at": 1795389001.5, "ended_at": 1795389001.9, "peak": 0.9, "frames": 5, "created": "2026-11-22T23:10:01.900Z", "predictions": [{"tagName": "man", "probability": 0.9}]}','{"type": "visit", "camera": "door", "label": "man", "probability": "0.9000"}');
INSERT INTO "outbox" VALUES(6,'5cf404e9-1e2f-563b-8acc-74c1448b3450',1,'{"v": 1, "id": "5cf404e9-1e2f-563b-8acc-74c1448b3450", "type": "change", "camera": "door", "demo": false, "label": null, "at": 1795389002.5, "created": "2026-11-22T23:10:02.500Z", "predictions": []}','{"type": "change", "camera": "door"}');
INSERT INTO "outbox" VALUES(7,'66af2041-f2ba-55c1-bf91-41ee9ef8ce78',1,'{"v": 1, "id": "66af2041-f2ba-55c1-bf91-41ee9ef8ce78", "type": "change", "camera": "door", "demo": false, "label": "woman", "at": 1795389600.2, "created": "2026-11-22T23:20:00.200Z", "predictions": [{"tagName": "woman", "probability": 0.9}]}','{"type": "change", "camera": "door", "label": "woman", "probability": "0.9000"}');
INSERT INTO "outbox" VALUES(8,'e14de075-89b6-5e23-bd8b-79eee7c36e77',3,'{"v": 1, "id": "e14de075-89b6-5e23-bd8b-79eee7c36e77", "type": "visit", "camera": "door", "demo": false, "label": "woman", "started_at": 1795389600.0, "ended_at": 1795389600.4, "peak": 0.9, "frames": 5, "created": "2026-11-22T23:20:00.400Z", "predictions": [{"tagName": "woman", "probability": 0.9}]}','{"type": "visit", "camera": "door", "label": "woman", "probability": "0.9000"}');
INSERT INTO "outbox" VALUES(9,'14352665-cf19-5e91-9257-9209fe8afd25',1,'{"v": 1, "id": "14352665-cf19-5e91-9257-9209fe8afd25", "type": "change", "camera": "door", "demo": false, "label": null, "at": 1795389601.0, "created": "2026-11-22T23:20:01.000Z", "predictions": []}','{"type": "change", "camera": "door"}');
INSERT INTO "outbox" VALUES(10,'789118a1-4cc5-5000-9e0f-bed51818754d',2,'{"v": 1, "id": "789118a1-4cc5-5000-9e0f-bed51818754d", "type": "summary", "camera": "door", "demo": false, "day": "2026-11-22", "hour": "23", "began_at": 1795388400.0, "ended_at": 1795392000.0, "visits": {"man": 1, "woman": 2}, "created": "2026-11-23T00:00:00.000Z", "predictions": []}','{"type": "summary", "camera": "door"}');
INSERT INTO "outbox" VALUES(11,'e1a36789-b97a-59e6-9eab-6d7d3dca37a7',1,'{"v": 1, "id": "e1a36789-b97a-59e6-9eab-6d7d3dca37a7", "type": "change", "camera": "door", "demo": false, "label": "man", "at": 1795392100.2, "created": "2026-11-23T00:01:40.200Z", "predictions": [{"tagName": "man", "probability": 0.9}]}','{"type": "change", "camera": "door", "label": "man", "probability": "0.9000"}');
CREATE TABLE period (
  number INTEGER PRIMARY KEY, camera TEXT NOT NULL, is_demo INTEGER NOT NULL, began_at REAL NOT NULL, ended_at REAL NOT NULL
);
INSERT INTO "period" VALUES(1,'door',0,1795389000.0,1795389002.9);
INSERT INTO "period" VALUES(2,'door',0,1795389600.0,1795389601.4);
INSERT INTO "period" VALUES(3,'door',0,1795392001.0,1795392001.2);
INSERT INTO "period" VALUES(4,'door',0,1795392100.0,1795392100.5);
CREATE TABLE visit (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
  camera TEXT NOT NULL, label TEXT NOT NULL, started_at REAL NOT NULL, ended_at REAL NOT NULL,
  peak REAL NOT NULL, frames INTEGER NOT NULL, is_told INTEGER NOT NULL DEFAULT 0
, is_demo INTEGER NOT NULL DEFAULT 0);
INSERT INTO "visit" VALUES(1,'7d355237-2fb0-5412-aebf-f5625ebd6ba4','door','woman',1795389000.0,1795389000.4,0.9,5,1,0);
INSERT INTO "visit" VALUES(2,'42bbe849-d5f5-5d55-92f6-5b0a13a7ceca','door','man',1795389001.5,1795389001.9,0.9,5,1,0);
INSERT INTO "visit" VALUES(3,'e14de075-89b6-5e23-bd8b-79eee7c36e77','door','woman',1795389600.0,1795389600.4,0.9,5,0,0);
CREATE INDEX visit_by_begin ON visit (camera, started_at);
CREATE INDEX visit_by_end ON visit (ended_at);
CREATE INDEX visit_untold ON visit (number) WHERE NOT is_told;
CREATE INDEX outbox_by_kind ON outbox (kind, number);
CREATE INDEX period_by_begin ON period (camera, is_demo, began_at, ended_at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('visit',3);
INSERT INTO "sqlite_sequence" VALUES('outbox',11);
COMMIT;
PRAGMA user_version = 2;
