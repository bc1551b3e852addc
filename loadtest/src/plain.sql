-- The opponent *plain*: one settlement is one call of one function, as most systems of this kind are built.
-- Unique key, header, four entries, four balances; balances are the person's own, so that no row is hot.

CREATE TABLE message (
    institution TEXT NOT NULL,
    msgid       TEXT NOT NULL,
    setl_id     TEXT NOT NULL,
    PRIMARY KEY (institution, msgid)
);

CREATE TABLE settlement (
    setl_id     TEXT PRIMARY KEY,
    institution TEXT NOT NULL,
    mdtrt_id    TEXT NOT NULL,
    psn_no      TEXT NOT NULL,
    setl_time   TIMESTAMPTZ NOT NULL DEFAULT now(),
    medfee      BIGINT NOT NULL,
    fund        BIGINT NOT NULL,
    account     BIGINT NOT NULL,
    cash        BIGINT NOT NULL
);

CREATE TABLE entry (
    setl_id TEXT NOT NULL,
    number  SMALLINT NOT NULL,
    account TEXT NOT NULL,
    amount  BIGINT NOT NULL,
    PRIMARY KEY (setl_id, number)
);

CREATE TABLE balance (
    psn_no  TEXT NOT NULL,
    account TEXT NOT NULL,
    amount  BIGINT NOT NULL,
    PRIMARY KEY (psn_no, account)
);

CREATE FUNCTION settle(
    p_institution TEXT, p_msgid TEXT, p_stay TEXT, p_person TEXT,
    p_fee BIGINT, p_fund BIGINT, p_account BIGINT, p_cash BIGINT
) RETURNS TEXT LANGUAGE plpgsql AS $$
DECLARE
    id TEXT := p_institution || p_msgid;
    known TEXT;
BEGIN
    INSERT INTO message VALUES (p_institution, p_msgid, id) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        SELECT setl_id INTO known FROM message WHERE institution = p_institution AND msgid = p_msgid;
        RETURN known;
    END IF;
    INSERT INTO settlement (setl_id, institution, mdtrt_id, psn_no, medfee, fund, account, cash)
        VALUES (id, p_institution, p_stay, p_person, p_fee, p_fund, p_account, p_cash);
    INSERT INTO entry VALUES
        (id, 1, 'care', p_fee), (id, 2, 'fund', -p_fund), (id, 3, 'account', -p_account), (id, 4, 'cash', -p_cash);
    INSERT INTO balance VALUES
        (p_person, 'fee', p_fee), (p_person, 'fund', p_fund), (p_person, 'account', p_account), (p_person, 'cash', p_cash)
        ON CONFLICT (psn_no, account) DO UPDATE SET amount = balance.amount + excluded.amount;
    RETURN id;
END
$$;
