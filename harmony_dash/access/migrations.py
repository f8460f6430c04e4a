"""The tables of the access database, as ordered, named steps.

A step that has been released is never edited: a change is a new step at the end. `AccessDatabase` runs each missing
step and the record of it in one transaction.

Ids in `audit` are plain text without foreign keys, so that the trail never stands in the way of the live tables and
outlives what it tells about.
"""

from __future__ import annotations

MIGRATIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("001 accounts, sessions, tickets, attempts", (
        # `epoch` rises with every change of password, role or status; a session of an older epoch is dead.
        """create table account (
            username text primary key check (username = lower(username) and username <> ''),
            name text not null,
            role text not null,
            password_hash text not null,
            disabled integer not null default 0 check (disabled in (0, 1)),
            demo integer not null default 0 check (demo in (0, 1)),
            epoch integer not null default 1,
            created text not null
        ) strict""",
        """create table session (
            token_hash text primary key,
            username text not null,
            epoch integer not null,
            created text not null,
            last_seen text not null,
            ended text
        ) strict""",
        "create index session_username on session (username)",
        """create table ticket (
            ticket_hash text primary key,
            username text not null,
            epoch integer not null,
            browser_hash text not null,
            expires text not null
        ) strict""",
        # `subject_hash` and not the name: people type passwords into the wrong field.
        """create table attempt (
            kind text not null check (kind in ('name', 'address')),
            subject_hash text not null,
            failures integer not null,
            last_failure text not null,
            wait_until text,
            primary key (kind, subject_hash)
        ) strict""",
    )),
    ("002 audit trail", (
        """create table audit (
            id integer primary key autoincrement,
            at text not null,
            username text not null,
            role text not null,
            session text not null,
            action text not null,
            question text not null,
            snapshot text not null,
            level text not null,
            n integer,
            decision text not null,
            reason text not null
        ) strict""",
        "create index audit_at on audit (at)",
        """create trigger audit_refuses_update before update on audit
        begin select raise(abort, 'the audit trail is append-only'); end""",
        """create trigger audit_refuses_delete before delete on audit
        begin select raise(abort, 'the audit trail is append-only'); end""",
        # `insert or replace` deletes without asking the delete trigger.
        """create trigger audit_refuses_replace before insert on audit
        when exists (select 1 from audit where id = new.id)
        begin select raise(abort, 'the audit trail is append-only'); end""",
    )),
    ("003 grants", (
        # Lists are JSON arrays of texts, sorted. `ended` is final: a grant is never opened again.
        """create table data_grant (
            id text primary key,
            project text not null check (project <> ''),
            purpose text not null check (purpose <> ''),
            diseases text not null,
            countries text not null,
            variables text not null,
            level text not null check (level in ('protected', 'exact')),
            valid_from text not null,
            valid_to text not null check (valid_to >= valid_from),
            proposed_by text not null,
            proposed text not null,
            ended text,
            ended_by text not null default '',
            end_reason text not null default ''
        ) strict""",
        """create table grant_member (
            grant_id text not null,
            username text not null,
            removed text,
            primary key (grant_id, username)
        ) strict""",
        """create table grant_approval (
            grant_id text not null,
            username text not null,
            approved text not null,
            primary key (grant_id, username)
        ) strict""",
        # A provider's word counts for every grant at once.
        """create table withdrawn_country (
            country text primary key,
            withdrawn text not null,
            withdrawn_by text not null,
            reason text not null
        ) strict""",
    )),
    ("004 chained trail", (
        "alter table audit add column grant_id text not null default ''",
        # HMAC over this row and the mac of the row before; empty on rows older than the chain.
        "alter table audit add column mac text not null default ''",
        "create index audit_grant on audit (grant_id)",
    )),
    ("005 second factor and outside identities", (
        # The secret is encrypted; the counter is that of the last code used, which is never taken again.
        "alter table account add column totp_secret text not null default ''",
        "alter table account add column totp_counter integer not null default 0",
        # Issuer and subject of an identity provider, one JSON array; such an account has no password.
        "alter table account add column identity text not null default ''",
        "create unique index account_identity on account (identity) where identity <> ''",
        # How the person proved who they are: password, password and code, identity provider.
        "alter table session add column method text not null default 'password'",
        # A proof of identity opens one session; kept until it would be too old anyway.
        """create table used_proof (
            proof_hash text primary key,
            expires text not null
        ) strict""",
    )),
    ("006 questions of a day", (
        # The questions of a person's day one beside the other, those that only the panel counted after their answers,
        # so that the distinct ones are found by one look-up each, however often they were asked. `audit.list_asked`
        # has the same expressions.
        f"""create index audit_asked on audit (
            username, substr(at, 1, 10),
            grant_id || ' ' || substr(question, 1, 16) || case action when 'count choices' then ' panel' else '' end
        ) where decision = 'allowed' and level not in ('', 'exact', 'off')
            and question glob '{"[0-9a-f]" * 16} {{*'""",
    )),
    ("007 who looked after an account", (
        # The last other person who made or changed the account: they could sign in as its owner.
        "alter table account add column managed_by text not null default ''",
        "alter table account add column managed text not null default ''",
    )),
    ("008 receipts of exports", (
        # What left the house, so that whoever holds a file can have it checked. `audit_id` is the line of the trail
        # that says so; its text holds a checksum of this receipt, and the trail is chained.
        """create table export_receipt (
            number text primary key check (number <> ''),
            made text not null,
            username text not null,
            role text not null,
            audit_id integer not null,
            title text not null,
            question text not null,
            fingerprint text not null,
            snapshot text not null,
            level text not null,
            grant_id text not null,
            data_sha256 text not null
        ) strict""",
        """create table export_file (
            number text not null,
            name text not null,
            bytes integer not null,
            sha256 text not null,
            primary key (number, name)
        ) strict""",
        "create index export_receipt_made on export_receipt (made, number)",
        "create index export_receipt_username on export_receipt (username, made, number)",
        "create index export_file_sha256 on export_file (sha256)",
        *(statement for table in ("export_receipt", "export_file") for statement in (
            f"""create trigger {table}_refuses_update before update on {table}
            begin select raise(abort, 'receipts are never changed'); end""",
            f"""create trigger {table}_refuses_delete before delete on {table}
            begin select raise(abort, 'receipts are never removed'); end""")),
        """create trigger export_receipt_refuses_replace before insert on export_receipt
        when exists (select 1 from export_receipt where number = new.number)
        begin select raise(abort, 'receipts are never changed'); end""",
        """create trigger export_file_refuses_replace before insert on export_file
        when exists (select 1 from export_file where number = new.number and name = new.name)
        begin select raise(abort, 'receipts are never changed'); end""",
    )),
)
