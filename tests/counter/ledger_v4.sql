BEGIN TRANSACTION;
CREATE TABLE "camera" (name TEXT PRIMARY KEY, memory TEXT NOT NULL);
INSERT INTO "camera" VALUES('back','{"visitors":{"timeline":{"last_at":1790000100.2,"session":"session","sequences":{"session":1790000100200},"offset":0.0,"known":1790000100.2,"doubtful":0,"doubtful_crossings":0,"doubted_from":null},"presence":{"candidates":{},"visit":{"origin":"session 1790000100000","started_at":1790000100.0,"seen_at":1790000100.2,"evidence":{"woman":{"total":2.7,"peak":0.9,"frames":3,"probability":0.9,"seen_at":1790000100.2}},"settled":null},"since_own":[],"absence":0.0,"previous":["session 1790000100200",1790000100.2,{"name":"woman","probability":0.9,"visitor":true},false,0.0,0]},"tracks":"","aspect":1.3333333333333333,"is_demo":false,"by_tracks":false},"inside":{"entered":0,"left":0,"drift":0,"since":null},"setup":null,"paused_at":null,"summarised_until":1789999200.0,"label_at":1790000100.2,"occupancy_at":null,"alerts":[]}');
CREATE TABLE crossing (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, camera TEXT NOT NULL, visit TEXT NOT NULL,
  line TEXT NOT NULL, direction TEXT NOT NULL, label TEXT NOT NULL, at REAL NOT NULL, is_demo INTEGER NOT NULL
);
INSERT INTO "crossing" VALUES(1,'eaad5031-ba2e-5b13-80a7-e0bfc030beb8','door','04c4883a-8aeb-5f97-84ef-97314a1b427a','entrance','in','woman',1790000012.0,0);
INSERT INTO "crossing" VALUES(2,'d4a995f7-07ae-5faa-be7f-55e1fc23d4d7','door','54bd56ec-5b15-5b3f-bba6-58e01b18ca02','entrance','out','man',1790000022.0,0);
INSERT INTO "crossing" VALUES(3,'fa39855d-763d-5484-8a69-cb4180fbbfdd','door','d513576a-6b8d-520f-9665-171015949985','entrance','in','undecided',1790000042.0,0);
CREATE TABLE note (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "note" VALUES('clock','{"passed":0.0,"wall":1790000000.0,"began_at":1790000000.0,"usual":1790000000.0,"jumped_at":0.0,"credited":0.0}');
INSERT INTO "note" VALUES('expiry','[[0.0,0]]');
INSERT INTO "note" VALUES('version','4');
CREATE TABLE period (
  number INTEGER PRIMARY KEY, camera TEXT NOT NULL, is_demo INTEGER NOT NULL, began_at REAL NOT NULL, ended_at REAL NOT NULL
);
INSERT INTO "period" VALUES(2,'door',0,1790000000.0,1790000060.0);
INSERT INTO "period" VALUES(3,'back',0,1790000000.0,1790000001.6);
INSERT INTO "period" VALUES(4,'back',0,1790000100.0,1790000100.2);
CREATE TABLE publication (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind INTEGER NOT NULL, body TEXT NOT NULL
);
INSERT INTO "publication" VALUES(3,'d4a995f7-07ae-5faa-be7f-55e1fc23d4d7',4,'{"v": 1, "id": "d4a995f7-07ae-5faa-be7f-55e1fc23d4d7", "camera": "door", "visit": "54bd56ec-5b15-5b3f-bba6-58e01b18ca02", "line": "entrance", "direction": "out", "label": "man", "at": 1790000022.0, "demo": false}');
INSERT INTO "publication" VALUES(5,'9a0e92e2-b1c4-5fd5-81bd-796c0b11ecf3',3,'{"v": 1, "id": "9a0e92e2-b1c4-5fd5-81bd-796c0b11ecf3", "camera": "door", "label": "man", "started_at": 1790000030.0, "ended_at": 1790000034.25, "peak": 0.875, "frames": 43, "demo": true, "direction": null, "zones": {}}');
INSERT INTO "publication" VALUES(6,'fa39855d-763d-5484-8a69-cb4180fbbfdd',4,'{"v": 1, "id": "fa39855d-763d-5484-8a69-cb4180fbbfdd", "camera": "door", "visit": "d513576a-6b8d-520f-9665-171015949985", "line": "entrance", "direction": "in", "label": "undecided", "at": 1790000042.0, "demo": false}');
INSERT INTO "publication" VALUES(7,'9ff294ad-eabf-5d79-895e-b66ac700277c',3,'{"v": 1, "id": "9ff294ad-eabf-5d79-895e-b66ac700277c", "camera": "back", "label": "woman", "started_at": 1790000000.0, "ended_at": 1790000000.7, "peak": 0.9, "frames": 8, "demo": false, "direction": null, "zones": {}}');
CREATE TABLE visit (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
  camera TEXT NOT NULL, label TEXT NOT NULL, started_at REAL NOT NULL, ended_at REAL NOT NULL,
  peak REAL NOT NULL, frames INTEGER NOT NULL, is_told INTEGER NOT NULL DEFAULT 0
, is_demo INTEGER NOT NULL DEFAULT 0, direction TEXT, zones TEXT NOT NULL DEFAULT '{}');
INSERT INTO "visit" VALUES(1,'04c4883a-8aeb-5f97-84ef-97314a1b427a','door','woman',1790000010.0,1790000014.25,0.875,41,0,0,'in','{"till":2.5}');
INSERT INTO "visit" VALUES(2,'54bd56ec-5b15-5b3f-bba6-58e01b18ca02','door','man',1790000020.0,1790000024.25,0.875,42,0,0,'out','{"till":0.75,"shelf":12.5}');
INSERT INTO "visit" VALUES(3,'9a0e92e2-b1c4-5fd5-81bd-796c0b11ecf3','door','man',1790000030.0,1790000034.25,0.875,43,0,1,NULL,'{}');
INSERT INTO "visit" VALUES(4,'9ff294ad-eabf-5d79-895e-b66ac700277c','back','woman',1790000000.0,1790000000.7,0.9,8,0,0,NULL,'{}');
CREATE INDEX visit_by_begin ON visit (camera, started_at);
CREATE INDEX visit_by_end ON visit (ended_at);
CREATE INDEX period_by_begin ON period (camera, is_demo, began_at, ended_at);
CREATE INDEX crossing_by_time ON crossing (camera, at);
CREATE INDEX crossing_by_visit ON crossing (visit);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('publication',8);
INSERT INTO "sqlite_sequence" VALUES('crossing',3);
INSERT INTO "sqlite_sequence" VALUES('visit',5);
COMMIT;
PRAGMA user_version = 4;
