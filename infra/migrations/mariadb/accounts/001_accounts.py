"""Accounts with their profiles and devices, links, television codes, and mails that wait."""

from alembic import op

revision = "001"
down_revision = None

TABLES = (
    """
    CREATE TABLE accounts (
        account_id varchar(64) PRIMARY KEY,
        address varchar(320) NOT NULL,
        password_hash varchar(255),
        country char(2) NOT NULL,
        created_at bigint NOT NULL,
        plan varchar(32) NOT NULL,
        streams int NOT NULL,
        pin_failures int NOT NULL,
        pin_locked_until bigint NOT NULL,
        trusted_since bigint NOT NULL,
        closed_at bigint,
        accounts_seq bigint NOT NULL,
        entitlements_seq bigint NOT NULL,
        revocations_seq bigint NOT NULL,
        version bigint NOT NULL,
        UNIQUE KEY address (address)
    )
    """,
    """
    CREATE TABLE profiles (
        profile_id varchar(64) PRIMARY KEY,
        account_id varchar(64) NOT NULL,
        place int NOT NULL,
        name varchar(160) NOT NULL,
        avatar varchar(32) NOT NULL,
        language varchar(35) NOT NULL,
        maturity varchar(16) NOT NULL,
        kids bool NOT NULL,
        pin_hash varchar(255),
        KEY account_id (account_id)
    )
    """,
    """
    CREATE TABLE devices (
        account_id varchar(64) NOT NULL,
        device_id varchar(64) NOT NULL,
        name varchar(160) NOT NULL,
        kind varchar(32) NOT NULL,
        network varchar(64) NOT NULL,
        signed_in_at bigint NOT NULL,
        last_seen_at bigint NOT NULL,
        profile_id varchar(64),
        family binary(32) NOT NULL,
        held binary(32) NOT NULL,
        following binary(32) NOT NULL,
        PRIMARY KEY (account_id, device_id),
        UNIQUE KEY family (family)
    )
    """,
    """
    CREATE TABLE tickets (
        digest binary(32) PRIMARY KEY,
        purpose varchar(16) NOT NULL,
        address varchar(320) NOT NULL,
        account_id varchar(64),
        expires_at bigint NOT NULL,
        KEY expires_at (expires_at)
    )
    """,
    """
    CREATE TABLE television_grants (
        device_digest binary(32) PRIMARY KEY,
        user_code char(8) NOT NULL,
        device_name varchar(160) NOT NULL,
        device_kind varchar(32) NOT NULL,
        network varchar(64) NOT NULL,
        expires_at bigint NOT NULL,
        interval_s int NOT NULL,
        polled_at bigint NOT NULL,
        looks int NOT NULL,
        state varchar(16) NOT NULL,
        account_id varchar(64),
        version bigint NOT NULL,
        UNIQUE KEY user_code (user_code),
        KEY expires_at (expires_at)
    )
    """,
    """
    CREATE TABLE mails (
        mail_id varchar(64) PRIMARY KEY,
        recipient varchar(320) NOT NULL,
        kind varchar(32) NOT NULL,
        token varchar(64),
        created_at bigint NOT NULL,
        sent_at bigint,
        KEY waiting (sent_at, created_at)
    )
    """,
)


def upgrade() -> None:
    for table in TABLES:
        op.execute(table)
