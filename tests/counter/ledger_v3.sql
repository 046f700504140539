BEGIN TRANSACTION;
CREATE TABLE camera (name TEXT PRIMARY KEY, memory TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "camera" VALUES('back','{"visits":{"timeline":{"last_at":1790003702.1,"session":"session","sequences":{"session":1790003702100},"offset":0.0,"known":1790003702.1,"doubtful":0,"doubted_from":null},"candidates":{},"visit":null,"since_own":[],"absence":0.0,"previous":null},"paused_at":1790003703.3,"summarised_until":1790002800.0,"is_demo":true,"label_at":1790003703.3}');
INSERT INTO "camera" VALUES('door','{"visits":{"timeline":{"last_at":1790003701.3,"session":"session","sequences":{"session":1790003701300},"offset":0.0,"known":1790003701.3,"doubtful":0,"doubted_from":null},"candidates":{},"visit":{"origin":"session 1790003700500","started_at":1790003700.5,"seen_at":1790003701.3,"evidence":{"woman":{"total":8.100000000000001,"peak":0.9,"frames":9,"probability":0.9,"seen_at":1790003701.3}},"settled":null},"since_own":[],"absence":0.0,"previous":["session 1790003701300",1790003701.3,{"name":"woman","probability":0.9,"visitor":true},false]},"paused_at":null,"summarised_until":1790002800.0,"is_demo":false,"label_at":1790003700.7}');
INSERT INTO "camera" VALUES('yard','{"visits":{"timeline":{"last_at":1790003701.0,"session":"session","sequences":{"session":1790003701000},"offset":0.0,"known":1790003701.0,"doubtful":0,"doubted_from":null},"candidates":{},"visit":null,"since_own":[],"absence":0.0,"previous":["session 1790003701000",1790003701.0,null,true]},"paused_at":null,"summarised_until":1790002800.0,"is_demo":false,"label_at":null}');
CREATE TABLE note (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "note" VALUES('clock','{"passed":3703.2999999523163,"wall":1790003703.3,"began_at":1790000000.0,"usual":1790000000.0,"jumped_at":3703.2999999523163,"credited":0.0}');
INSERT INTO "note" VALUES('expiry','[[0.0,0]]');
INSERT INTO "note" VALUES('version','3');
CREATE TABLE period (
  number INTEGER PRIMARY KEY, camera TEXT NOT NULL, is_demo INTEGER NOT NULL, began_at REAL NOT NULL, ended_at REAL NOT NULL
);
INSERT INTO "period" VALUES(1,'door',0,1790000000.0,1790000004.4);
INSERT INTO "period" VALUES(4,'door',1,1790000100.0,1790000102.9);
INSERT INTO "period" VALUES(5,'back',1,1790003701.0,1790003702.1);
INSERT INTO "period" VALUES(6,'door',0,1790003700.0,1790003701.3);
INSERT INTO "period" VALUES(7,'yard',0,1790003701.0,1790003701.2);
CREATE TABLE publication (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind INTEGER NOT NULL, body TEXT NOT NULL
);
INSERT INTO "publication" VALUES(2,'d35bc870-2eae-5b89-b380-7eb92d48da02',3,'{"v": 1, "id": "d35bc870-2eae-5b89-b380-7eb92d48da02", "camera": "door", "label": "man", "started_at": 1790000100.0, "ended_at": 1790000100.9, "peak": 0.9, "frames": 10, "demo": true}');
INSERT INTO "publication" VALUES(3,'a22e5567-60d2-5e28-acef-4e137b24dcdc',2,'{"v": 1, "id": "a22e5567-60d2-5e28-acef-4e137b24dcdc", "camera": "door", "day": "2026-09-21", "hour": "14", "began_at": 1789999200.0, "ended_at": 1790002800.0, "visits": {"woman": 1}, "demo": false}');
INSERT INTO "publication" VALUES(4,'58d79511-df77-5309-9cc4-e485a7b92ba4',3,'{"v": 1, "id": "58d79511-df77-5309-9cc4-e485a7b92ba4", "camera": "back", "label": "man", "started_at": 1790003701.0, "ended_at": 1790003702.1, "peak": 0.9, "frames": 12, "demo": true}');
CREATE TABLE visit (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
  camera TEXT NOT NULL, label TEXT NOT NULL, started_at REAL NOT NULL, ended_at REAL NOT NULL,
  peak REAL NOT NULL, frames INTEGER NOT NULL, is_told INTEGER NOT NULL DEFAULT 0
, is_demo INTEGER NOT NULL DEFAULT 0);
INSERT INTO "visit" VALUES(1,'77fd40d3-e5d4-56b9-abcf-01bc834a1b54','door','woman',1790000000.5,1790000002.4,0.9,20,0,0);
INSERT INTO "visit" VALUES(2,'d35bc870-2eae-5b89-b380-7eb92d48da02','door','man',1790000100.0,1790000100.9,0.9,10,0,1);
INSERT INTO "visit" VALUES(3,'58d79511-df77-5309-9cc4-e485a7b92ba4','back','man',1790003701.0,1790003702.1,0.9,12,0,1);
CREATE INDEX visit_by_begin ON visit (camera, started_at);
CREATE INDEX visit_by_end ON visit (ended_at);
CREATE INDEX period_by_begin ON period (camera, is_demo, began_at, ended_at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('publication',4);
INSERT INTO "sqlite_sequence" VALUES('visit',3);
COMMIT;
PRAGMA user_version = 3;
