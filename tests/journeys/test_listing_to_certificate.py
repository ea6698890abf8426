"""The whole story over HTTP: from a manifest of returned goods to a certificate anybody can verify."""

from tests.journeys import accounts, hearsay, moving, proving, selling, settling
from tests.journeys.players import Market


async def test_from_a_manifest_to_a_certificate(market: Market) -> None:
    await selling.import_the_goods(market)
    await selling.publish(market)
    await selling.bid(market)
    await selling.compare(market)
    await selling.award(market)
    await selling.confirm(market)

    await moving.tender(market)
    await moving.book(market)
    await moving.collect(market)
    await moving.dispatch(market)
    await moving.load(market)
    await moving.deliver(market)
    await moving.send_again(market)
    await settling.receive(market)
    await settling.inspect(market)
    await settling.redirect(market)
    await settling.deal_again(market)
    await settling.pay_everybody(market)
    await settling.haul_the_rest(market)
    await settling.accept_the_rest(market)
    await accounts.close(market)

    await proving.erase(market)
    await proving.make(market)
    await proving.submit(market)
    await proving.issue(market)
    await proving.state_the_impact(market)
    await proving.read(market)
    await proving.verify(market)
    await proving.check_the_token(market)
    await proving.certify_the_rest(market)

    await hearsay.log(market)
    await hearsay.losers(market)
    await hearsay.carrier(market)
    await hearsay.figures(market)
    await hearsay.next_processor(market)
    await hearsay.webhooks(market)
