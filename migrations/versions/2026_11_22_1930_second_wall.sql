-- Who asks, as the unit of work has named it. Statements are separated by a line of two dashes and nothing else.
CREATE FUNCTION asker_org() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT NULLIF(current_setting('app.org_id', true), '') $$
--
CREATE FUNCTION asker_is_house() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT COALESCE(current_setting('app.house', true) = 'on', false) $$
--
-- The environment that is named; both for the house where none is, and none for anybody else.
CREATE FUNCTION asker_livemodes() RETURNS boolean[] LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT CASE
        WHEN COALESCE(current_setting('app.livemode', true), '') <> ''
            THEN ARRAY[CAST(current_setting('app.livemode', true) AS boolean)]
        WHEN asker_is_house() THEN ARRAY[true, false]
        ELSE CAST(ARRAY[] AS boolean[]) END
$$
--
-- What an event's audience must contain: nothing in particular for the house, and for nobody what no audience contains.
CREATE FUNCTION asker_audience() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN asker_is_house() THEN CAST(ARRAY[] AS text[]) ELSE ARRAY[COALESCE(asker_org(), 'nobody')] END $$
