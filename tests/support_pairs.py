"""Claims about twelve invented articles and the seed's, and whether the articles carry them.

Each `Pair` is one article, what an LLM may write about it, and the kind of truth or forgery that
this is. A forgery is false of the whole article, not only of one passage. `python -m
tests.support_pairs` prints how many are told apart, by kind.
"""

# ruff: noqa: E501

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from rag.citations import Verifier
from rag.language import SpacyAnalyser
from rag.ports import LanguageAnalyser
from rag.types import Article, Claim, Evidence, Passage

_SEED = Path(__file__).parents[1] / "seeds" / "000_75e423dfb05b201f.txt"

_TEXTS = {
    "port": (
        "Dockers in Valdane end nine-day strike",
        "2025-06-04",
        """\
Port workers in Valdane ended a nine-day strike on Monday after the harbour authority agreed to raise wages by 4 percent. The union, which represents 2,300 dockers, had demanded 7 percent.
“We did not get everything, but our members can live with it,” union leader Marta Olsen said.
The authority’s director, Piet Harland, denied that cargo fees will rise this year. He said the deal may cost 12 million euros.
Ships bound for Kerrin were diverted to Ostby during the strike. Exports of timber fell 6 percent in May, while imports of grain rose 3 percent.
Some of the 40 delayed ships are still waiting outside the port. Olsen thanked the mayor, Ines Kaya, for her patience.""",
    ),
    "power": (
        "Paris and Berlin argue over power line",
        "2025-09-13",
        """\
France urged Germany on Friday to lift its ban on cross-border power sales before winter. French Energy Minister Claire Dumont met her German counterpart, Jonas Weber, in Lyon.
“Germany should not close the line while our reactors are down,” Dumont told reporters. Weber said Berlin could reopen the line in October if repairs finish early. “We have no plans to build new gas plants,” he added.
Poland has neither joined nor rejected the scheme. Spanish officials said Madrid is likely to support it.
The European Commission will publish its report on 14 November. Two reactors at Belmont were shut down in March because of corrosion. No worker was injured.""",
    ),
    "court": (
        "Leeds surgeon cleared of manslaughter",
        "2025-03-07",
        """\
A court in Leeds on Thursday cleared surgeon Anna Reid of manslaughter but found her guilty of falsifying records. Judge Omar Faruk said Reid “showed no remorse whatsoever” and sentenced her to 18 months in prison, suspended for two years.
Her lawyer, Tom Birch, said she would appeal. “My client never intended to deceive anyone,” Birch said.
Prosecutors had alleged that Reid altered 14 files after the death of Daniel Cole, 62, in 2021. The hospital trust apologised to Cole’s family.
Reid, who joined the trust in 2015, is no longer allowed to operate. The General Medical Council has not yet decided whether to strike her off.""",
    ),
    "wind": (
        "Norvik Energy buys Talus wind farm",
        "2025-11-18",
        """\
Norvik Energy bought the wind farm from Talus Group for $1.2 billion, beating a rival bid by Hexa Power. The farm’s 85 turbines produce more electricity than any other site in the region.
Chief executive Lena Brandt said the purchase “doubles our offshore capacity.” Shares in Norvik rose 8% to 54 kroner, while Talus fell 2%.
Analysts at Redwood Bank warned that the debt could weigh on the company. Norvik plans to cut 120 jobs by 2027. It will not close the Talus office in Bergen.
Regulators approved the sale after an eight-month review. Brandt failed to win support from the largest shareholder, the pension fund Alto.""",
    ),
    "lottery": (
        "Jackpot of $1.02 billion after nobody wins",
        "2022-08-23",
        """\
The Silver Ball lottery jackpot grew to $1.02 billion after no one matched all six numbers on Tuesday night and won the top prize.
Kestrel has the slowest tills of any supermarket, a new study that followed ten chains revealed. Briggs said the country was “a land of broken promises” on Monday.
The singer Ona Vale released her latest single, “Break My Stride,” late on Monday. Barristers voted for an indefinite strike that will begin on 5 September.
Harris, author of a novel about chocolate, posted a poll asking whether other writers had “ever received a death threat” on Saturday. J.R. Rowan quarrelled with Harris.""",
    ),
    "storm": (
        "Cyclone Mira hits northern Sanaba",
        "2025-02-10",
        """\
Cyclone Mira killed at least 31 people in northern Sanaba, the interior ministry said on Sunday. More than 5,000 families lost their homes.
President Joel Amani declared a state of emergency and asked neighbouring countries for help. “The army has reached only three of the nine cut-off villages,” Amani said in a televised speech.
Opposition leader Grace Tembo accused the government of ignoring early warnings. Amani’s spokesman, Luc Onana, rejected the accusation. “Nobody was abandoned,” he said.
Rain is expected to ease by Wednesday. Schools in the capital, Port Sanaba, remain closed. Aid flights from Kenya arrived before those from Uganda.""",
    ),
    "vote": (
        "Lindholm wins second round in Varland",
        "2025-10-06",
        """\
Former central banker Eva Lindholm won Varland’s presidential election on Sunday, defeating the incumbent, Tomas Berg, by 52.3% to 47.7%, the electoral commission said. Turnout was 71%, the highest since 1992.
“Tonight we celebrate, tomorrow we get to work,” Lindholm told supporters in the capital, Skarn. She has promised to raise the minimum wage and to hold a referendum on joining the euro by 2028.
Berg conceded shortly before midnight. He did not congratulate Lindholm by name. His Centre Party lost control of parliament in June after a corruption scandal that led to the resignation of Finance Minister Pia Dahl.
Observers from the OSCE said the vote was largely free and fair but criticised the use of public money in Berg’s campaign. Russia has not commented. Estonian President Alar Karis was the first foreign leader to call Lindholm.
Lindholm, 58, will be sworn in on 1 December. Economists doubt that she can cut the deficit without new taxes.""",
    ),
    "bird": (
        "Rare heron returns to Lake Moro",
        "2025-04-22",
        """\
A pair of Moro herons has nested at Lake Moro for the first time in 40 years, researchers from the University of Tamsin reported on Tuesday. The species was declared extinct in the wild in 2009.
The team, led by biologist Ruth Okafor, filmed the birds with hidden cameras and found three eggs. “It is not a recovery yet, but it is a start,” Okafor said.
Conservationists had reintroduced 26 birds since 2019, of which eleven died in the first winter. The programme is funded by the Helio Foundation and costs about $400,000 a year.
Farmers oppose a plan to ban fishing on the northern shore. “Nobody asked us,” said Idris Bello, who chairs the fishing cooperative. The regional government could decide on the ban in September.
Water levels in the lake dropped by two metres between 1990 and 2010 because of irrigation. They have since recovered.""",
    ),
    "flight": (
        "Jet skids off runway at Karlo airport",
        "2025-01-15",
        """\
A Zentair Boeing 737 carrying 143 passengers skidded off the runway at Karlo International Airport on Tuesday evening after landing in heavy snow. Seven people were taken to hospital with minor injuries, and all other passengers left the plane by emergency slides.
The airport reopened at 6 a.m. on Wednesday. Zentair cancelled 18 flights and apologised to its customers.
“The captain reported poor braking before the aircraft left the runway,” said Mira Sato, the head of the accident investigation board. Investigators have recovered the flight recorders. Sato said it was too early to speak of pilot error.
Transport Minister Leon Adeyemi rejected calls to close the runway permanently. He ordered a review of snow clearing at all six state airports, which must report by the end of February.
In 2018 a cargo plane overran the same runway, killing its two pilots. The union of air traffic controllers says it warned the airport twice last year about ice.""",
    ),
    "tunnel": (
        "Dozens trapped in Halden tunnel fire",
        "2025-08-23",
        """\
Nobody was killed in the fire in the Halden tunnel on Friday, but up to 40 people were trapped and at least 12 were injured, officials said. Some of the passengers were rescued by fishermen, while most of the crew left on foot.
Few residents of Marlow returned to their homes, and not all of the schools reopened on Monday. Neither the mayor nor the police chief resigned, and the operator has yet to respond to the allegations.
The prime minister stopped short of apologising to the victims but ruled out selling the tunnel. A deal to sell the ferries to a Swiss investor fell through in May.
The city will use electric buses instead of diesel trucks. Rather than closing the harbour, the council sold three piers.
If the strike goes ahead, the railway will cancel 300 trains and refund every ticket. The bridge would have collapsed without the repairs, and the tanker almost hit it.
Former transport minister Rui Vaz and the alleged smuggler Ivo Brandt were questioned by detectives. Police found a fake bomb in the station.
Vaz served as minister from 1998 to 2006. The lighthouse was once the tallest building in Europe and is set to be demolished next year.
The chairman resigned before the inquiry was published. The market will remain closed until October.
Despite heavy rain, the festival went ahead, although two bands had cancelled because of illness. Half of the 600 guards will lose their jobs.
The agency did not inspect the pumps or train its staff. The senate vetoed a draft treaty with Norway that would limit fishing in the bay.
The port used to employ 900 people and previously belonged to the Talus family.""",
    ),
    "quarter": (
        "Corvex changes its head as tea loses ground",
        "2025-08-30",
        """\
Unemployment rose by 2 percentage points to 7 percent in July, the statistics office said. Exports of tea earned twice as much as those of coffee.
Helen Marsh, who had left Brandex in May, was replaced as chief executive of Corvex by David Pohl. Corvex’s rival Lumin bought the Oslo plant for $40 million.
Nearly 2,000 homes lost power, and the grid lost $3 million a day. Turnover grew 12 percent to 4.8 billion euros, while profit fell by a third.
Toyan and Merid reported losses of $3 billion and $2 billion respectively. Hamar is the second-largest port in the country.
The mill will close by the end of March, and its workers have until 15 April to appeal. Vassel won 3-1 at home to Orrin.""",
    ),
    "arrest": (
        "Son of former president held in Quito",
        "2025-08-30",
        """\
Carlos Vega, the son of former president Hugo Vega, was arrested in Quito on Friday. His brother’s lawyer, Mia Grant, was questioned.
Senator Paula Reyes said that Governor Mark Dunn had told her the dam would be closed by March.
Witnesses said soldiers had fired on the crowd, a claim that the army rejected. Energy Minister Tom Okoro denied having said that the plant was unsafe.
The Portuguese foreign minister met the Spanish prime minister in Berlin. Marta Ruiz, 34, and her daughter, 6, were rescued.
Union head Pat Doyle said members would reject the offer, but Sue Lane insisted that a deal was close. The army blamed the rebels for the attack, while the rebels blamed a militia loyal to the army.""",
    ),
    "seed": (
        "India and Russia reaffirm resolve to deepen trade and strategic cooperation",
        "2025-08-21",
        _SEED.read_text(encoding="utf-8"),
    ),
}

ARTICLES = {
    key: Article(key, text, title=title, outlet="The Herald", published_at=day, language="en")
    for key, (title, day, text) in _TEXTS.items()
}


@dataclass(frozen=True, slots=True)
class Pair:
    """A claim about the article `article`, of a `kind`, that it does or does not carry."""

    article: str
    kind: str
    claim: str
    true: bool


_TRUE = """\
denial | tunnel | No one was killed in the fire in the Halden tunnel.
denial | tunnel | The mayor did not resign.
denial | tunnel | The operator has not responded to the allegations.
denial | tunnel | The operator has yet to respond to the allegations.
denial | tunnel | The prime minister stopped short of apologising to the victims.
denial | tunnel | The prime minister ruled out selling the tunnel.
denial | tunnel | The deal to sell the ferries to a Swiss investor fell through in May.
denial | tunnel | The agency did not inspect the pumps.
aside | tunnel | The city will use electric buses.
aside | tunnel | The council sold three piers.
share | tunnel | Some of the passengers were rescued by fishermen.
share | tunnel | Few residents of Marlow returned to their homes.
share | tunnel | Not all schools reopened on Monday.
share | tunnel | Half of the 600 guards will lose their jobs.
bound | tunnel | Up to 40 people were trapped, officials said.
bound | tunnel | Officials said at least 12 people were injured.
condition | tunnel | The railway will cancel 300 trains if the strike goes ahead.
qualifier | tunnel | Former minister Rui Vaz was questioned by detectives.
qualifier | tunnel | Police found a fake bomb in the station.
over | tunnel | Vaz served as minister from 1998 to 2006.
over | tunnel | The port used to employ 900 people.
order | tunnel | The chairman resigned before the inquiry was published.
order | tunnel | The market will remain closed until October.
cause | tunnel | Two bands had cancelled because of illness.
cause | tunnel | Despite heavy rain, the festival went ahead.
number | storm | At least 5,000 families lost their homes.
number | quarter | Unemployment rose by 2 percentage points.
number | quarter | Unemployment rose to 7 percent in July.
number | quarter | Nearly 2,000 homes lost power.
number | quarter | The grid lost $3 million a day.
number | quarter | Turnover grew by 12 percent.
number | quarter | Toyan and Merid reported losses of $3 billion and $2 billion respectively.
comparison | quarter | Exports of tea earned twice as much as those of coffee.
comparison | quarter | Hamar is the second-largest port in the country.
number | quarter | Vassel won 3-1 at home to Orrin.
date | quarter | The mill will close by the end of March.
date | quarter | Helen Marsh had left Brandex in May.
passive | quarter | David Pohl replaced Helen Marsh as chief executive of Corvex.
short name | quarter | Lumin bought the Oslo plant for $40 million.
name | arrest | Carlos Vega was arrested in Quito.
name | arrest | Carlos Vega is the son of former president Hugo Vega.
reported | arrest | Reyes said that Dunn had told her the dam would be closed by March.
reported | arrest | Witnesses said soldiers had fired on the crowd.
denial | arrest | Okoro denied having said that the plant was unsafe.
name | arrest | The foreign minister of Portugal met Spain’s prime minister in Berlin.
number | arrest | Marta Ruiz, 34, was rescued.
reported | arrest | Sue Lane insisted that a deal was close.
narration | arrest | The army blamed the rebels for the attack.
denial | lottery | Nobody won the top prize on Tuesday.
speaker | lottery | According to a new study, Kestrel has the slowest tills.
quoted | lottery | Ona Vale released a single titled “Break My Stride”.
date | lottery | Barristers voted for an indefinite strike from September 5, 2022.
quoted | lottery | Harris posted a poll asking whether other writers had “ever received a death threat” on Saturday.
short name | lottery | J. R. Rowan quarrelled with Harris.
reported | port | Union leader Marta Olsen said that the members “can live with it”.
reported | port | Olsen said they did not get everything, but members can live with it.
reported | power | Dumont said Germany should not close the line while the reactors are down.
reported | power | Weber said there are no plans to build new gas plants.
reported | court | Tom Birch said his client never intended to deceive anyone.
reported | storm | Amani said the army has reached only three of nine cut-off villages.
reported | storm | According to President Amani, the army has reached only three of the nine cut-off villages.
reported | seed | Jaishankar said that relations between India and Russia have been among the steadiest of the major relationships in the world after the Second World War.
reported | seed | Jaishankar said there are still some pending cases and some missing persons.
reported | seed | Jaishankar hopes that the Russian side will expeditiously resolve these matters.
reported | wind | Brandt said the purchase doubles the company's offshore capacity.
label | port | Marta Olsen: “We did not get everything, but our members can live with it.”
label | power | Weber: “We have no plans to build new gas plants.”
label | seed | S Jaishankar: “India’s approach continues to emphasise dialogue and diplomacy as essential to resolving differences.”
passive | power | Germany was urged by France to lift its ban on cross-border power sales.
passive | wind | The wind farm was bought by Norvik Energy for $1.2 billion.
passive | court | Anna Reid was cleared of manslaughter by a court in Leeds.
passive | wind | The sale was approved by regulators after an eight-month review.
passive | storm | A state of emergency was declared by President Joel Amani.
active | storm | At least 31 people were killed by Cyclone Mira in northern Sanaba.
active | seed | India and Russia reviewed regional crises including Ukraine, West Asia and Afghanistan.
date | port | Port workers in Valdane ended a strike on 2 June 2025.
date | court | On March 6, 2025, a court in Leeds cleared Anna Reid of manslaughter.
date | seed | On 21 August 2025, India and Russia reaffirmed their resolve to deepen trade and strategic cooperation.
date | power | France urged Germany to lift its ban on September 12.
date | power | The European Commission will publish its report on November 14.
number | port | Port workers ended a 9-day strike.
number | wind | Norvik Energy bought the wind farm for 1.2 billion dollars.
number | wind | Norvik Energy bought the wind farm from Talus Group for $1.2bn.
number | power | 2 reactors at Belmont were shut down in March because of corrosion.
number | storm | The army has reached only 3 of the 9 cut-off villages, Amani said.
number | port | The harbour authority agreed to raise wages by four per cent.
number | wind | Shares in Norvik rose eight percent.
plural | port | Timber exports fell 6 percent in May.
plural | port | A union that represents 2,300 dockers had demanded 7 percent.
demonym | power | The Spanish government’s officials said Spain is likely to support the scheme.
demonym | power | The energy minister of France, Claire Dumont, met Jonas Weber in Lyon.
short name | court | Reid was found guilty of falsifying records.
short name | wind | Norvik bought the wind farm from Talus for $1.2 billion.
short name | seed | Jaishankar met Putin in Moscow.
omission | port | Port workers in Valdane ended a nine-day strike.
omission | court | The judge sentenced Reid to 18 months in prison, suspended for two years.
omission | wind | Norvik Energy beat a rival bid by Hexa Power.
omission | storm | President Joel Amani declared a state of emergency.
omission | seed | Jaishankar raised the issue of Indians recruited into the Russian Army.
omission | seed | India pressed for the removal of non-tariff barriers and regulatory hurdles.
omission | seed | Energy cooperation remained central.
contract | seed | India conveyed a zero tolerance policy against terrorism.
synonym | wind | Norvik Energy purchased the wind farm from Talus Group for $1.2 billion.
synonym | power | Two reactors at Belmont were closed in March because of corrosion.
synonym | storm | Grace Tembo accused the government of ignoring early alerts.
synonym | seed | Jaishankar stressed the resilience of bilateral relations.
synonym | wind | The Talus shares dropped 2%.
synonym | seed | India and Russia reaffirmed their determination to deepen trade and strategic cooperation.
hedge | port | The deal may cost 12 million euros, Harland said.
hedge | port | Harland said the deal might cost 12 million euros.
hedge | wind | Redwood Bank analysts warned that the debt could weigh on the company.
hedge | storm | Rain is expected to ease by Wednesday.
hedge | power | Weber said the line could reopen in October if repairs finish early.
hedge | court | Prosecutors alleged that Reid altered 14 files after the death of Daniel Cole.
hedge | seed | Several agreements may be sealed during Putin’s visit to India.
hedge | wind | Norvik plans to cut 120 jobs by 2027.
negation | port | Harland denied that cargo fees will rise this year.
negation | court | Reid is no longer allowed to operate.
negation | court | The General Medical Council has not decided whether to strike Reid off.
negation | wind | Norvik will not close the Talus office in Bergen.
negation | wind | Brandt did not win support from Alto, the largest shareholder.
negation | power | Poland has not joined the scheme.
negation | storm | Luc Onana rejected the accusation.
combined | storm | Cyclone Mira killed at least 31 people and more than 5,000 families lost their homes.
combined | court | Reid was cleared of manslaughter but found guilty of falsifying records.
combined | port | Exports of timber fell 6 percent in May and imports of grain rose 3 percent.
comparison | storm | Flights with aid from Kenya arrived before those from Uganda.
comparison | wind | The 85 turbines of the farm produce more electricity than any other site in the region.
narration | court | The hospital trust apologised to the family of Daniel Cole.
narration | port | Ships bound for Kerrin were diverted to Ostby during the strike.
narration | seed | Trade dominated much of the dialogue.
narration | seed | The long-term supply of fertilisers was discussed.
natural | vote | Eva Lindholm won the presidential election in Varland.
natural | vote | Lindholm won with 52.3% of the vote.
natural | vote | Lindholm defeated incumbent Tomas Berg.
natural | vote | Tomas Berg was defeated by Eva Lindholm in the presidential election.
natural | vote | Turnout was 71%, the highest since 1992.
natural | vote | Lindholm has promised to hold a referendum on joining the euro by 2028.
natural | vote | She promised to raise the minimum wage.
natural | vote | Lindholm told supporters in Skarn: “Tonight we celebrate, tomorrow we get to work.”
natural | vote | Berg conceded defeat shortly before midnight.
natural | vote | Berg conceded but did not congratulate Lindholm by name.
natural | vote | The Centre Party lost control of parliament in June.
natural | vote | Finance Minister Pia Dahl resigned after a corruption scandal.
natural | vote | OSCE observers criticised the use of public money in Berg's campaign.
natural | vote | According to OSCE observers, the vote was largely free and fair.
natural | vote | Russia has not commented on the election.
natural | vote | The first foreign leader to call Lindholm was Estonian President Alar Karis.
natural | vote | Lindholm will be sworn in on December 1.
natural | vote | Economists doubt Lindholm can cut the deficit without new taxes.
natural | vote | Lindholm is 58.
natural | bird | Moro herons have nested at Lake Moro for the first time in 40 years.
natural | bird | The species was declared extinct in the wild in 2009.
natural | bird | Biologist Ruth Okafor led the team.
natural | bird | The team found three eggs.
natural | bird | Okafor said it is not a recovery yet, but it is a start.
natural | bird | The researchers filmed the birds with hidden cameras.
natural | bird | Eleven of the 26 reintroduced birds died in the first winter.
natural | bird | The Helio Foundation funds the programme.
natural | bird | The programme costs about $400,000 per year.
natural | bird | The plan to ban fishing on the northern shore is opposed by farmers.
natural | bird | Idris Bello, who chairs the fishing cooperative, said nobody asked them.
natural | bird | The regional government could decide on the ban in September.
natural | bird | Irrigation caused water levels in the lake to drop by two metres between 1990 and 2010.
natural | bird | Water levels dropped by two meters between 1990 and 2010 because of irrigation.
natural | flight | A Boeing 737 operated by Zentair skidded off the runway at Karlo International Airport.
natural | flight | The plane was carrying 143 passengers.
natural | flight | 7 people were taken to hospital with minor injuries.
natural | flight | The other passengers left the plane by emergency slides.
natural | flight | The airport reopened at 6 a.m. on Wednesday.
natural | flight | 18 flights were cancelled by Zentair.
natural | flight | Mira Sato said the captain reported poor braking before the aircraft left the runway.
natural | flight | Sato said that it was too early to speak of pilot error.
natural | flight | Flight recorders have been recovered by investigators.
natural | flight | Transport Minister Leon Adeyemi rejected calls to permanently close the runway.
natural | flight | Adeyemi ordered a review of snow clearing at all six state airports.
natural | flight | The review must report by the end of February.
natural | flight | In 2018, a cargo plane overran the same runway, and its two pilots were killed.
natural | flight | The air traffic controllers' union says it warned the airport twice last year about ice.
natural | flight | On 14 January 2025, a jet skidded off the runway at Karlo airport.
other form | port | He said the deal may cost 12,000,000 euros.
other form | port | Exports of timber fell 6% in May, while imports of grain rose 3%.
other form | storm | The interior ministry said Cyclone Mira killed at least 31 people in northern Sanaba on Sunday.
other form | court | “My client never intended to deceive anyone,” Birch stated.
other form | vote | Berg didn’t congratulate Lindholm by name.
other form | vote | Lindholm, 58, will be sworn in on December 1.
other form | wind | Chief executive Lena Brandt stated the purchase “doubles our offshore capacity.”
"""

_FALSE = """\
denial | tunnel | Somebody was killed in the fire in the Halden tunnel.
denial | tunnel | The mayor resigned.
denial | tunnel | The operator responded to the allegations.
denial | tunnel | The operator has responded to the allegations.
denial | tunnel | The prime minister apologised to the victims.
denial | tunnel | The prime minister will sell the tunnel.
denial | tunnel | The ferries were sold to a Swiss investor in May.
denial | tunnel | The agency trained its staff.
aside | tunnel | The city will use diesel trucks.
aside | tunnel | The council closed the harbour.
share | tunnel | The passengers were rescued by fishermen.
share | tunnel | Most of the passengers were rescued by fishermen.
share | tunnel | Some of the crew were rescued by fishermen.
share | tunnel | Residents of Marlow returned to their homes.
share | tunnel | All schools reopened on Monday.
share | tunnel | No schools reopened on Monday.
share | tunnel | 600 guards will lose their jobs.
bound | tunnel | 40 people were trapped.
bound | tunnel | At least 40 people were trapped, officials said.
bound | tunnel | Up to 12 were injured, officials said.
bound | tunnel | Exactly 12 were injured, officials said.
condition | tunnel | The railway will cancel 300 trains.
condition | tunnel | The railway will refund every ticket.
condition | tunnel | The bridge collapsed.
condition | tunnel | The tanker hit the bridge.
qualifier | tunnel | Transport minister Rui Vaz was questioned by detectives.
qualifier | tunnel | The smuggler Ivo Brandt was questioned by detectives.
qualifier | tunnel | Police found a bomb in the station.
qualifier | tunnel | A treaty with Norway limits fishing in the bay.
over | tunnel | Vaz serves as minister.
over | tunnel | The lighthouse is the tallest building in Europe.
over | tunnel | The port belongs to the Talus family.
order | tunnel | The chairman resigned after the inquiry was published.
order | tunnel | The inquiry was published before the chairman resigned.
order | tunnel | The market will remain closed since October.
cause | tunnel | The festival went ahead because of heavy rain.
cause | tunnel | Two bands had cancelled despite illness.
cause | tunnel | The festival went ahead because two bands had cancelled.
swap | quarter | Orrin won 3-1 at home to Vassel.
name | arrest | Mia Grant is Hugo Vega’s lawyer.
number | vote | Lindholm won by at least 52.3% to 47.7% more.
unit | quarter | Unemployment rose by 2 percent in July.
number | quarter | Unemployment rose by 7 percent in July.
number | quarter | Unemployment rose from 2 percent to 7 percent in July.
number | quarter | 2,000 homes lost power.
number | quarter | At least 2,000 homes lost power.
unit | quarter | The grid lost $3 million.
unit | quarter | The grid lost $3 million a month.
number | quarter | Turnover grew to 12 percent.
number | quarter | Profit fell by 12 percent.
number | quarter | Profit fell by half.
number | quarter | Toyan reported losses of $2 billion.
number | quarter | Toyan and Merid reported losses of $2 billion and $3 billion respectively.
comparison | quarter | Exports of coffee earned twice as much as those of tea.
comparison | quarter | Exports of tea earned half as much as those of coffee.
comparison | quarter | Hamar is the largest port in the country.
comparison | quarter | Hamar is the third-largest port in the country.
number | quarter | Vassel won 1-3 at home to Orrin.
date | quarter | The mill will close in early March.
date | quarter | Workers can appeal from 15 April.
date | quarter | Helen Marsh was replaced as chief executive of Corvex in May.
swap | quarter | Helen Marsh is chief executive of Corvex.
name | quarter | Lumin is the rival of Brandex.
name | arrest | Hugo Vega was arrested in Quito.
name | arrest | Former president Carlos Vega was arrested in Quito.
name | arrest | The former president was arrested in Quito on Friday.
name | arrest | Hugo Vega is the son of Carlos Vega.
speaker | arrest | Reyes said the dam would be closed by March.
speaker | arrest | The dam will be closed by March.
words as fact | arrest | Soldiers had fired on the crowd.
speaker | arrest | Okoro denied that the plant was unsafe.
swap | arrest | The Spanish foreign minister met the Portuguese prime minister in Berlin.
number | arrest | Marta Ruiz, 6, was rescued.
speaker | arrest | Sue Lane said members would reject the offer.
words as fact | arrest | A deal was close.
swap | arrest | The rebels blamed the army for the attack.
outlet | arrest | The Herald said Okoro was unsafe.
denial | lottery | Someone won the top prize on Tuesday night.
denial | lottery | The top prize was won on Tuesday night.
speaker | lottery | According to the government, Kestrel has the slowest tills.
quoted | lottery | The country was “a land of broken promises”.
date | lottery | Barristers voted for an indefinite strike from September 5, 2023.
quoted | lottery | Other writers had “ever received a death threat” on Saturday.
name | lottery | J. K. Rowan quarrelled with Harris.
number | port | The harbour authority agreed to raise wages by 7 percent.
number | port | Port workers in Valdane ended a four-day strike on Monday.
number | port | Exports of timber fell 3 percent in May.
number | wind | Norvik plans to cut 85 jobs by 2027.
number | wind | Norvik Energy bought the wind farm for $1.3 billion.
number | court | Reid was sentenced to two years in prison.
number | court | Prosecutors had alleged that Reid altered 62 files.
number | storm | Cyclone Mira killed at least 13 people in northern Sanaba.
number | storm | The army has reached only nine villages, Amani said.
number | power | Three reactors at Belmont were shut down in March.
unit | port | Harland said the deal may cost 12 million dollars.
unit | port | Harland said the deal may cost 12 billion euros.
unit | wind | Norvik Energy bought the wind farm for €1.2 billion.
unit | wind | Regulators approved the sale after an eight-year review.
unit | court | Reid was sentenced to 18 years in prison, suspended for two years.
date | port | Port workers in Valdane ended a nine-day strike on Tuesday.
date | port | Port workers in Valdane ended a nine-day strike on 3 June 2025.
date | power | The European Commission will publish its report on 14 October.
date | power | Two reactors at Belmont were shut down in November because of corrosion.
date | wind | Norvik plans to cut 120 jobs by 2025.
date | court | Daniel Cole died in 2015.
date | court | Reid joined the trust in 2021.
date | storm | Rain is expected to ease by Sunday.
date | seed | India and Russia reaffirmed their resolve on Friday to deepen trade.
name | port | Ships bound for Ostby were diverted to Kerrin during the strike.
name | power | French Energy Minister Claire Dumont met Jonas Weber in Berlin.
name | power | Two reactors at Lyon were shut down in March.
name | wind | Hexa Power bought the wind farm from Talus Group for $1.2 billion.
name | wind | Norvik Energy bought the wind farm from Redwood Bank.
name | court | The hospital trust apologised to Birch’s family.
name | court | Judge Omar Reid said Faruk showed no remorse.
name | court | Judge Hassan Faruk sentenced her to 18 months in prison.
name | storm | Cyclone Mira killed at least 31 people in southern Kenya.
name | seed | Jaishankar met President Sergey Lavrov in Moscow.
name | seed | Jaishankar met Putin in New Delhi.
name | seed | Regional crises including Ukraine, Syria and Afghanistan were also reviewed.
speaker | port | Piet Harland said that the members can live with it.
speaker | port | Ines Kaya said the deal may cost 12 million euros.
speaker | power | Dumont said there are no plans to build new gas plants.
speaker | power | Weber said Germany should not close the line while the reactors are down.
speaker | court | Birch said Reid showed no remorse.
speaker | court | Judge Omar Faruk said his client never intended to deceive anyone.
speaker | storm | Grace Tembo said the army has reached only three of the nine cut-off villages.
speaker | storm | The government accused opposition leader Grace Tembo of ignoring early warnings.
speaker | wind | Analysts at Redwood Bank said the purchase doubles the offshore capacity.
speaker | seed | Lavrov said sustaining engagement through both trade and investment would be vital for stability.
speaker | seed | Russia conveyed a zero tolerance policy against terrorism.
speaker | seed | Putin conveyed a zero tolerance policy against terrorism.
speaker | seed | Jaishankar said trade dominated much of the dialogue.
speaker | port | Olsen said ships bound for Kerrin were diverted to Ostby.
label | port | Piet Harland: “We did not get everything, but our members can live with it.”
label | power | Claire Dumont: “We have no plans to build new gas plants.”
label | seed | Sergey Lavrov: “India’s approach continues to emphasise dialogue and diplomacy as essential to resolving differences.”
label | seed | S Jaishankar: Trade, however, dominated much of the dialogue.
label | storm | Grace Tembo: “Nobody was abandoned.”
label | court | John Birch: “My client never intended to deceive anyone.”
negation added | port | Port workers in Valdane did not end a nine-day strike on Monday.
negation added | wind | Norvik Energy never bought the wind farm from Talus Group.
negation added | wind | Regulators did not approve the sale after an eight-month review.
negation added | court | A court in Leeds refused to clear surgeon Anna Reid of manslaughter.
negation added | storm | Amani denied that the army has reached only three of the nine cut-off villages.
negation added | storm | No schools in the capital remain closed.
negation added | power | Weber said Berlin could not reopen the line in October.
negation added | power | France no longer urged Germany to lift its ban on cross-border power sales.
negation added | seed | Trade did not dominate much of the dialogue.
negation added | seed | Jaishankar failed to raise the issue of Indians recruited into the Russian Army.
negation dropped | port | Olsen said they did get everything.
negation dropped | port | Harland said that cargo fees will rise this year.
negation dropped | wind | Norvik will close the Talus office in Bergen.
negation dropped | wind | Brandt won support from the largest shareholder, the pension fund Alto.
negation dropped | court | Reid is allowed to operate.
negation dropped | court | Birch said his client intended to deceive anyone.
negation dropped | court | The General Medical Council has decided whether to strike her off.
negation dropped | court | Judge Omar Faruk said Reid showed remorse.
negation dropped | power | A worker was injured.
negation dropped | power | Poland has joined the scheme.
negation dropped | power | Weber said there are plans to build new gas plants.
negation dropped | power | Dumont said Germany should close the line.
hedge dropped | port | The deal will cost 12 million euros, Harland said.
hedge dropped | port | Harland said the deal cost 12 million euros.
hedge dropped | power | Weber said Berlin will reopen the line in October.
hedge dropped | power | Spain supports the scheme.
hedge dropped | wind | The debt weighs on the company, analysts at Redwood Bank warned.
hedge dropped | wind | Norvik has cut 120 jobs.
hedge dropped | court | Reid altered 14 files after the death of Daniel Cole.
hedge dropped | storm | Rain eased by Wednesday.
hedge dropped | seed | Several agreements were sealed during Putin’s visit to India.
hedge dropped | storm | The government ignored early warnings.
future as done | power | The European Commission published its report on 14 November.
future as done | court | Her lawyer Tom Birch said she appealed.
condition | power | Weber said Berlin will reopen the line in October, and repairs finish early.
quotation altered | port | Olsen said “we did not get anything, but our members can live with it”.
quotation altered | court | Judge Faruk said Reid “showed no regret whatsoever”.
quotation altered | wind | Brandt said the purchase “triples our offshore capacity.”
quotation altered | storm | “The army has reached only three of the ten cut-off villages,” Amani said.
quotation altered | seed | Jaishankar said India had a “strong resolve to adopt a zero tolerance approach against terrorism”.
quotation altered | seed | Both sides pledged to expand commerce ‘in a fair and sustainable manner’.
quotation altered | power | “We have plans to build new gas plants,” Weber added.
quotation moved | court | Tom Birch said Reid “showed no remorse whatsoever”.
quotation moved | power | “We have no plans to build new gas plants,” Dumont told reporters.
quotation moved | storm | “Nobody was abandoned,” Amani said.
quotation moved | seed | Lavrov said collaboration remains “deep-rooted and forward looking.”
quotation moved | seed | “We hope that the Russian side will expeditiously resolve these matters,” Putin said.
quotation glued | port | Olsen said “We did get everything, but our members can live with it”.
quotation glued | storm | Amani said “The army has reached all of the nine cut-off villages”.
fragment | port | Cargo fees will rise this year.
fragment | court | Showed remorse whatsoever.
fragment | storm | The government of ignoring early warnings.
fragment | port | Piet Harland: “cargo fees will rise this year”
fragment | court | To strike her off.
fragment | power | Berlin.
splice | port | Piet Harland ended a nine-day strike on Monday.
splice | port | Olsen thanked Piet Harland for his patience.
splice | power | Poland was shut down in March because of corrosion.
splice | court | The hospital trust altered 14 files after the death of Daniel Cole.
splice | wind | Analysts at Redwood Bank plan to cut 120 jobs by 2027.
splice | wind | Regulators failed to win support from the largest shareholder.
splice | storm | Schools in the capital arrived before those from Uganda.
splice | seed | Lavrov raised the issue of Indians recruited into the Russian Army.
splice | seed | Energy cooperation dominated much of the dialogue.
splice | wind | Lena Brandt works at Redwood Bank.
comparison | port | Exports of timber rose 6 percent in May.
comparison | port | Imports of timber fell 6 percent in May.
comparison | wind | The farm’s 85 turbines produce less electricity than any other site in the region.
comparison | wind | Shares in Norvik fell 8% to 54 kroner.
comparison | wind | Talus rose 8% while Norvik fell 2%.
comparison | storm | Fewer than 5,000 families lost their homes.
comparison | storm | Aid flights from Kenya arrived after those from Uganda.
comparison | storm | Aid flights from Uganda arrived before those from Kenya.
comparison | storm | At most 31 people were killed by Cyclone Mira.
comparison | power | France urged Germany to lift its ban on power sales after winter.
comparison | power | Weber said Berlin could close the line in October.
comparison | court | A court in Leeds found surgeon Anna Reid innocent of falsifying records.
swap | power | Germany urged France on Friday to lift its ban on cross-border power sales.
swap | power | France was urged by Germany to lift its ban on cross-border power sales.
swap | wind | Talus Group bought the wind farm from Norvik Energy.
swap | wind | Hexa Power beat a rival bid by Norvik Energy.
swap | court | Reid sentenced the judge to 18 months in prison.
swap | port | The mayor, Ines Kaya, thanked Olsen for her patience.
swap | storm | The government accused Grace Tembo of ignoring early warnings.
swap | court | Cole’s family apologised to the hospital trust.
swap | seed | Russia pressed India for the swift removal of non-tariff barriers.
scope | port | All of the 40 delayed ships are still waiting outside the port.
scope | wind | Only regulators approved the sale.
scope | court | Reid was cleared of all charges.
scope | storm | Every school in the country remains closed.
scope | seed | For the first time, India and Russia reaffirmed their resolve to deepen trade.
scope | power | The European Commission will always publish its report on 14 November.
scope | seed | Jaishankar said all Indians recruited into the Russian Army had been released.
predicate | power | France thanked Germany on Friday.
predicate | wind | Norvik Energy sued Talus Group over the wind farm.
predicate | storm | President Joel Amani lifted a state of emergency.
predicate | court | Judge Omar Faruk criticised the hospital trust.
predicate | seed | India and Russia suspended strategic cooperation.
predicate | seed | Jaishankar criticised President Vladimir Putin in Moscow.
predicate | port | The union rejected the deal with the harbour authority.
cause | storm | Schools in the capital remain closed because Amani declared a state of emergency.
cause | port | The strike caused exports of timber to fall 6 percent in May.
first person | port | We did not get everything, but our members can live with it.
first person | seed | On terrorism, we resolved to fight jointly against all forms and manifestations of terrorism.
first person | power | We have no plans to build new gas plants.
words as fact | seed | India and Russia have been among the steadiest of the major relationships in the world.
words as fact | court | Reid’s lawyer proved she never intended to deceive anyone.
invented | seed | India signed a nuclear deal with Russia.
invented | port | The mayor of Valdane, Ines Kaya, will step down.
invented | wind | Norvik Energy is based in Oslo.
invented | court | The Earth orbits the Sun.
url | seed | Trade dominated much of the dialogue, see https://evil.example/a.
url | seed | Trade dominated much of the dialogue (www.evil.example).
markup | seed | Trade dominated <b>much</b> of the dialogue.
markup | seed | [Trade](javascript:x) dominated much of the dialogue.
empty | seed | …
empty | seed | “”
empty | seed | S Jaishankar: “.”
empty | seed | It is so.
other language | seed | Indien hat eine Null-Toleranz-Politik gegen Terrorismus vermittelt.
other language | seed | Le commerce a dominé une grande partie du dialogue.
number | vote | Lindholm won by 54.3% to 45.7%.
number | vote | Turnout was 47.7%.
number | bird | The team found eleven eggs.
number | bird | Conservationists had reintroduced 40 birds since 2019.
number | flight | Seven people were taken to hospital and 18 passengers left the plane.
number | flight | Zentair cancelled 143 flights.
unit | bird | The programme costs about €400,000 a year.
unit | bird | Water levels in the lake dropped by two feet.
date | vote | Lindholm will be sworn in on 1 October.
date | vote | Lindholm has promised to hold a referendum on joining the euro by 2026.
date | vote | The Centre Party lost control of parliament in December.
date | bird | The species was declared extinct in the wild in 2019.
date | bird | The regional government could decide on the ban in April.
date | flight | The airport reopened at 6 a.m. on Tuesday.
date | flight | In 2020 a cargo plane overran the same runway.
name | vote | Finance Minister Eva Lindholm resigned after a corruption scandal.
name | vote | Latvian President Alar Karis was the first foreign leader to call Lindholm.
name | bird | The programme is funded by the University of Tamsin.
name | flight | Transport Minister Mira Sato ordered a review of snow clearing.
name | flight | A Zentair Airbus carrying 143 passengers skidded off the runway.
speaker | vote | Berg told supporters in the capital that tomorrow we get to work.
speaker | bird | Okafor said nobody asked them.
speaker | bird | Idris Bello said it is not a recovery yet, but it is a start.
speaker | flight | Adeyemi said it was too early to speak of pilot error.
speaker | vote | Russia said the vote was largely free and fair.
speaker | flight | Mira Sato: “Nobody asked us.”
speaker | bird | Ruth Okafor: “Nobody asked us.”
negation added | vote | Berg refused to concede.
negation added | vote | Eva Lindholm did not win Varland’s presidential election.
negation added | bird | Farmers do not oppose a plan to ban fishing on the northern shore.
negation added | bird | No eggs were found.
negation added | flight | The airport did not reopen on Wednesday.
negation dropped | vote | Berg congratulated Lindholm by name.
negation dropped | vote | Russia has commented.
negation dropped | bird | Okafor said it is a recovery.
negation dropped | flight | Leon Adeyemi accepted calls to close the runway permanently.
negation dropped | vote | Lindholm can cut the deficit without new taxes.
hedge dropped | bird | The regional government will decide on the ban in September.
hedge dropped | bird | The regional government decided on the ban.
hedge dropped | vote | Lindholm raised the minimum wage.
hedge dropped | vote | Varland joined the euro.
quotation altered | vote | “Tonight we celebrate, tomorrow we rest,” Lindholm told supporters.
quotation altered | bird | Okafor called it “a recovery”.
quotation altered | flight | Sato said the captain reported “poor visibility”.
quotation moved | vote | Berg said “tomorrow we get to work”.
quotation moved | bird | “Nobody asked us,” said Ruth Okafor.
fragment | flight | Pilot error.
fragment | bird | A plan to ban fishing on the northern shore.
fragment | vote | Mira Sato.
splice | vote | Pia Dahl promised to raise the minimum wage.
splice | vote | Alar Karis conceded shortly before midnight.
splice | bird | Eleven fishermen died in the first winter.
splice | bird | The Helio Foundation filmed the birds with hidden cameras.
splice | flight | Mira Sato ordered a review of snow clearing at all six state airports.
splice | flight | The captain rejected calls to close the runway permanently.
splice | flight | Seven passengers were killed when a cargo plane overran the runway in 2018.
splice | flight | Zentair apologised to the union of air traffic controllers.
comparison | vote | Turnout was 71%, the lowest since 1992.
comparison | bird | Water levels in the lake rose by two metres between 1990 and 2010.
comparison | flight | The captain reported good braking before the aircraft left the runway.
comparison | flight | The captain reported poor braking after the aircraft left the runway.
comparison | vote | Berg conceded shortly after midnight.
comparison | bird | Farmers support a plan to ban fishing on the northern shore.
comparison | vote | The Centre Party won control of parliament in June.
swap | vote | Tomas Berg defeated Eva Lindholm.
swap | vote | Lindholm was defeated by the incumbent, Tomas Berg.
swap | vote | Lindholm was the first foreign leader to call Alar Karis.
swap | flight | The airport warned the union of air traffic controllers twice last year about ice.
swap | bird | The birds filmed the team with hidden cameras.
scope | vote | All economists doubt that she can cut the deficit.
scope | bird | Only farmers oppose a plan to ban fishing.
scope | flight | All passengers were taken to hospital.
scope | flight | Zentair cancelled all flights.
predicate | vote | Lindholm insulted the incumbent, Tomas Berg.
predicate | bird | Conservationists had killed 26 birds since 2019.
predicate | flight | Investigators have lost the flight recorders.
predicate | flight | Zentair sold 18 flights to its customers.
predicate | vote | Observers from the OSCE praised the use of public money in Berg’s campaign.
cause | flight | The plane skidded off the runway because of pilot error.
cause | vote | Berg lost because of Russia.
first person | bird | Nobody asked us.
first person | vote | Tonight we celebrate, tomorrow we get to work.
words as fact | flight | It was pilot error.
words as fact | vote | The vote was free and fair.
invented | bird | The lake is polluted with mercury.
invented | vote | Lindholm is married to a banker.
outlet | seed | The Herald proved that trade dominated much of the dialogue.
one word | storm | More than 5,000 families lost no homes.
one word | power | Two reactors at Lyon were shut down in March because of corrosion.
one word | power | Two reactors at Belmont were shut down in April because of corrosion.
one word | court | Reid, who joined the trust in 2021, is no longer allowed to operate.
one word | court | Reid, who joined the trust in 2015, is still allowed to operate.
one word | wind | Regulators approved the sale before an eight-month review.
one word | port | Ships bound for Kerrin were diverted to Valdane during the strike.
"""


def _pairs(table: str, true: bool) -> list[Pair]:
    rows = [[cell.strip() for cell in line.split(" | ")] for line in table.splitlines()]
    return [Pair(article, kind, claim, true) for kind, article, claim in rows]


PAIRS = _pairs(_TRUE, True) + _pairs(_FALSE, False)

WITHHELD = frozenset(
    {
        "The judge sentenced Reid to 18 months in prison, suspended for two years.",
        "The Talus shares dropped 2%.",
        "Flights with aid from Kenya arrived before those from Uganda.",
        "Lindholm won with 52.3% of the vote.",
        "Irrigation caused water levels in the lake to drop by two metres between 1990 and 2010.",
        "A Boeing 737 operated by Zentair skidded off the runway at Karlo International Airport.",
        "The review must report by the end of February.",
        "On 14 January 2025, a jet skidded off the runway at Karlo airport.",
    }
)
"""True claims that are withheld all the same: the price of the checks."""


def verifiers(analyser: LanguageAnalyser) -> dict[str, Verifier]:
    """A verifier for each article, each of its paragraphs a passage."""
    return {
        key: Verifier(Evidence(passages(article), {article.id: article}), analyser)
        for key, article in ARTICLES.items()
    }


def passages(article: Article) -> tuple[Passage, ...]:
    """The paragraphs of an article, `{id}:0`, `{id}:1`, …"""
    found: list[Passage] = []
    start = 0
    for line in article.text.splitlines(keepends=True):
        end = start + len(line.rstrip("\n"))
        chunk = f"{article.id}:{len(found)}"
        passage = Passage(len(found) + 1, 0.5, article.id, chunk, line.rstrip("\n"), start, end)
        found.append(replace(passage, title=article.title, published_at=article.published_at))
        start += len(line)
    return tuple(found)


def shown(pair: Pair, verifier: Verifier) -> bool:
    """Whether the claim passes, as it would in an answer that cites nothing."""
    return verifier.verify(verifier.settle(Claim(pair.claim))).support is not None


def main() -> None:
    """Print, by kind, how many forgeries are found and how many true claims are shown."""
    known = verifiers(SpacyAnalyser())
    right: dict[tuple[bool, str], list[bool]] = {}
    for pair in PAIRS:
        good = shown(pair, known[pair.article]) == pair.true
        for kind in (pair.kind, "all"):
            right.setdefault((pair.true, kind), []).append(good)
    for (true, kind), hits in right.items():
        print(f"{'shown' if true else 'found'} {kind:20} {sum(hits)}/{len(hits)}")


if __name__ == "__main__":
    main()
