"""Word lists by which two sentences are compared: what means the same, the opposite, or denies."""

from __future__ import annotations

from functools import lru_cache

from rag.text.names import TITLES
from rag.text.wording import stem

# Groups of words that news uses for the same thing, and words whose forms a stemmer keeps apart.
_SYNONYMS = """\
accord agreement deal pact; aid assistance help; aim goal objective target; alarm alert warning;
allow permit; amid during; annual yearly; answer reply respond response;
apologise apologize apology; appoint name nominate; approve approval endorse;
arrive arrival reach; ask call request appeal; assault attack strike; attempt try effort;
authority official; ban prohibit prohibition; begin start commence launch beginning;
believe belief think; border frontier; bought buy; build construct construction;
buy purchase acquire acquisition buyer; candidate contender; child children;
choose select choice pick; civilian noncombatant; close shut closure; company firm corporation;
conclude conclusion; convey express communicate; country nation state; crisis emergency;
crucial vital essential key important critical; cut reduce reduction lower; damage harm;
dead die death deadly; decide decision; decide decision resolve determine determination;
declare proclaim announce announcement declaration; defend defence defense; delay postpone;
deploy deployment; destroy destruction; discuss discussion talk dialogue conversation;
dispatch send; doctor physician; dominate prevail; drive drove driven driver;
drop fall decline decrease fell shrink; earn gain make; elect election;
emphasise emphasize stress highlight underline underscore emphasis;
employ hire recruit recruitment; employee worker staff;
enhance improve boost strengthen improvement; expand expansion;
expand expansion broaden widen enlarge; expect expectation anticipate forecast;
expedite expeditious quick swift rapid fast speedy quickly swiftly rapidly expeditiously;
explain explanation; explode explosion blast; export exporter; fell fall; fight combat battle;
film movie; find found; flat apartment; fly flight flew; get receive obtain; govern government;
grow growth rise increase climb surge jump rose; guarantee ensure; happen occur; hold conduct;
home house; huge enormous massive; hurt injure wound injury wounded injured; illness disease;
imbalance disparity; invade invasion; invest investment investor; jail prison imprison;
job post position; kid child; kill killed killing; know known knew;
lawmaker legislator parliamentarian mp; lawyer attorney barrister counsel solicitor;
leader chief head boss; leave depart departure exit quit; likely probably probable;
lose lost loss; main chief principal primary; man men; manner way; meeting meet; money fund;
murder homicide; negotiate negotiation talk; obstacle barrier hurdle; offer bid;
oppose opposition resist; part portion; partnership cooperation collaboration; people person;
plan intend scheme; pledge promise vow; press push urge; previous prior former;
produce production producer; protest demonstrate demonstration; provide supply give;
punish punishment; pupil student; raise increase hike; receive reception receipt;
regard consider see; region area; relation relationship tie; remain stay keep continue;
remove removal eliminate; renew renewal; report study; rescue save; resign resignation step quit;
restart resume resumption reopen; reveal disclose disclosure; role part; rose rise; seek want;
sentence sentenced; shooting shoot shot; show demonstrate; sign seal; sold sell sale;
speak spoke speech address; spokesman spokesperson spokeswoman; successor succeed;
suggest propose proposal; suspect alleged; tackle address; team side; told tell; trip visit tour;
earthquake quake tremor; use employ; weapon arm; win won victory winner; woman women;
world global international
"""

# A line sets what stands left of the bar against what stands right of it.
_OPPOSITES = """\
rose grew | fell sank shrank dropped declined decreased
bought | sold
won | lost
began opened started | ended closed stopped
came joined arrived | left quit departed
rose grew rise grow increase | fell fall drop
rise increase grow climb gain surge jump raise growth hike | fall decrease decline drop shrink cut
rise increase grow climb surge raise growth | plunge slump lower reduce slip tumble reduction
up higher soar | down lower fall drop
more greater over above exceed | less fewer under below
most | least
maximum | minimum
many most | few
next | last previous
yesterday | today tomorrow
today | tomorrow
longer longest | shorter shortest
older oldest | younger youngest
faster fastest | slower slowest
bigger larger | smaller
nearly almost | more over above
before prior ahead earlier precede | after following later since
early | late
begin start open launch commence | end finish close stop conclude cease halt
reopen open resume restart | close shut suspend halt
allow permit let legalise authorise approve | ban bar forbid prohibit block outlaw veto
impose declare introduce | lift repeal revoke scrap end
accept approve welcome adopt back endorse | reject refuse dismiss decline spurn oppose
support back favour praise | oppose criticise criticize condemn denounce resist
agree | disagree
confirm admit | deny refute
win beat defeat victory | lose defeat loss
buy purchase acquire import | sell export
arrive enter come join | leave depart exit quit withdraw
strengthen improve enhance boost deepen | weaken worsen undermine harm deteriorate
success succeed manage | failure fail
profit surplus | loss deficit
guilty convict | innocent acquit clear
innocent | guilty
clear acquit | convict
arrest detain jail imprison capture | release free
attack assault | defend protect
ally friend partner | enemy foe rival adversary
north northern | south southern
east eastern | west western
left | right
first | last final
old | new
new | former old
high highest tall | low lowest short
large largest big biggest great | small smallest tiny little
good better best | bad worse worst poor
strong stronger | weak weaker
long | short
rich wealthy | poor
safe | dangerous unsafe
true real genuine | false fake
right correct | wrong incorrect
public | private
major | minor
cheap | expensive costly
hot warm | cold cool
import | export
peace ceasefire truce | war hostilities
alive survive living | dead die kill
birth born | death die
marry | divorce
hire appoint recruit employ | fire dismiss sack oust
build construct create | destroy demolish dismantle
include | exclude
push | pull
inside within domestic internal | outside foreign external abroad
majority | minority
man men male | woman women female
mother | father
son | daughter
brother | sister
husband | wife
day | night
morning | evening
summer | winter
spring | autumn
possible able | impossible unable
always | never
everyone everybody | nobody noone
democrat democratic | republican
liberal | conservative
plaintiff prosecutor prosecution | defendant defence
victim | perpetrator attacker
teacher | pupil student
employer | employee
temporary temporarily | permanent permanently
voluntary | mandatory compulsory
unanimous unanimously | divided
partly partially | fully entirely completely
civilian | soldier military
balance | imbalance
deny reject | admit accept
optimistic | pessimistic
positive | negative
calm | tension
steady steadiest stable | volatile unstable unsteady
"""

# Words that widen, narrow, order or explain a statement. A claim may have one that stands left of
# the bar only if the source has one of the whole line.
_SCOPE = """\
all every each entire whole everyone everybody everything any both |
only solely exclusively merely sole | just alone
always constantly forever permanently | permanent
first | initial debut
last final finally | latest
most majority mostly mainly | maximum largest chief
least |
more greater | increase rise grow exceed over above another else extra higher further
less fewer | lower under below decrease fall cut reduce
before prior | ahead earlier until pre
after following later | since once then when post
until |
since |
although though despite | but however while whereas even yet nevertheless nonetheless still spite
if | whether should had were unless provided assuming when case
unless | without except
because due owing cause lead result trigger prompt therefore consequence | thanks blame reason
fully entirely completely totally wholly | full entire complete total whole
immediately instantly | immediate instant once
unanimously unanimous |
again repeatedly | repeat
prove proof proven |
yesterday |
tomorrow |
next | follow following after later upcoming come coming
"""

SPEECH_VERBS = frozenset(
    "say tell add note remark declare stress state announce argue warn claim insist explain reply "
    "respond comment write tweet report suggest describe urge acknowledge admit confirm deny "
    "pledge promise underscore underline emphasise emphasize highlight reiterate assert caution "
    "observe maintain recall reveal testify vow contend conclude joke mention quip express convey "
    "raise call believe think hope expect predict estimate ask demand complain condemn criticise "
    "criticize praise hail welcome reaffirm propose advise recount allege accuse accord imply "
    "assure clarify".split()
)
"""Lemmas of verbs whose subject speaks."""

PLAIN_SPEECH = frozenset(
    "say tell add note remark state explain comment mention report observe write accord stress "
    "emphasise emphasize highlight underline underscore express convey declare reply respond "
    "announce describe recount".split()
)
"""Those which say no more than that somebody says something."""

TELLING = (PLAIN_SPEECH - {"express", "convey", "describe"}) | frozenset(
    "claim insist argue warn deny admit confirm acknowledge assert maintain reveal testify allege "
    "quote".split()
)
"""Those under which a clause is what somebody says."""

GENERIC_NOUNS = TITLES | frozenset(
    "company firm country nation state city town island region club bank airline carmaker group "
    "organisation organization institution man woman boy girl player politician plane jet aircraft "
    "ship vessel car train agency authority party army ministry airport university hospital school "
    "museum newspaper broadcaster retailer maker carrier regulator virus disease storm hurricane "
    "cyclone film movie show album book game tournament rocket spacecraft telescope suspect gunman "
    "defendant victim actor actress singer rapper writer artist striker midfielder goalkeeper "
    "quarterback champion billionaire candidate incumbent lawmaker tennis star veteran".split()
)
"""Nouns that may stand for a name."""

RELATIVES = frozenset(
    "son daughter child brother sister sibling twin wife husband widow widower mother father "
    "parent uncle aunt cousin nephew niece grandson granddaughter grandfather grandmother stepson "
    "stepfather stepmother fiance fiancee girlfriend boyfriend friend partner ally rival opponent "
    "critic enemy supporter follower aide adviser advisor assistant bodyguard driver spokesman "
    "spokeswoman spokesperson lawyer attorney agent colleague predecessor successor deputy "
    "counterpart boss mentor protege neighbour neighbor biographer challenger relative".split()
)
"""Nouns for people by whom they belong to."""

PEOPLE = RELATIVES | frozenset(
    "man woman boy girl person people teenager gunman suspect resident tourist driver passenger "
    "officer soldier official teacher doctor nurse worker employee student minister president "
    "mayor governor senator judge journalist reporter activist candidate player jury "
    "friend witness rebel militia army police gang government ministry party union company "
    "team".split()
)
"""Nouns for people: what is done to them is not done to whom their phrase mentions besides."""

COLLECTIVES = frozenset("team group duo pair trio couple company firm side".split())
"""Nouns that may stand for other nouns, like "researchers"."""

LIMITERS = frozenset(
    "largely mostly mainly partly partially nearly almost broadly virtually practically barely "
    "hardly temporarily provisionally conditionally allegedly reportedly apparently supposedly "
    "preliminary roughly potentially".split()
)
"""Words that a claim must not leave out, since it would say more."""

NEGATIVE_HEADS = frozenset(
    "deny refuse reject fail decline dismiss refute prevent stop avoid prohibit ban bar block halt "
    "cease doubt disprove unable impossible refusal failure denial lack absence without instead "
    "rather forget abandon cancel oppose neglect omit".split()
)
"""Lemmas that deny what depends on them."""

FAILINGS = frozenset(
    ["fail", "collapse", "stall", "founder", "fall through", "fall apart", "break down", "call off"]
)
"""Verbs by which what their subject was to bring does not happen: "a deal to sell fell through"."""

DENYING_HEADS = NEGATIVE_HEADS.union(
    FAILINGS,
    ["short", "wrong", "false", "untrue", "incorrect", "mistaken"],
    ["rule out", "put off", "hold off", "back out"],
)
"""Those and verbs with their particles that deny what depends on them, as "ruled out" does."""

OPEN_HEADS = frozenset(
    "plan expect hope want intend aim seek consider propose threaten offer try attempt urge ask "
    "call demand request like wish fear wait prepare press push need possible likely unlikely "
    "appear seem potential suspect risk invite encourage recommend "
    "could decide whether if unless predict forecast lobby pressure able ready willing "
    "plead proposal plan intention attempt bid effort hope demand call request threat "
    "verge brink order bet danger".split()
).union(["close to"])
"""Lemmas under which something has not happened, or is not known to."""

SETTLED_HEADS = frozenset(
    "set due schedule agree agreement deal pledge promise vow commit undertake go".split()
)
"""Lemmas under which something is yet to happen."""

STATES = frozenset(
    "be have own belong serve live work employ lead hold ban run govern rule represent play chair "
    "head coach manage captain teach edit direct".split()
)
"""Verbs that tell of a state: what was so need not be so any more."""

OPINION_HEADS = frozenset(
    "allege claim argue believe think suspect accuse contend speculate insist suggest maintain "
    "assert imply feel brag boast consider describe allegation accusation assume presume reckon "
    "imagine pretend rumour rumor speculation myth suspicion".split()
)
"""Lemmas under which something is one side's word."""


SYMMETRIC = frozenset(
    "rival partner friend ally colleague neighbour neighbor sibling twin cousin counterpart "
    "brother sister opponent enemy relative".split()
)
"""Those of `RELATIVES` that go both ways."""

DISPUTES = frozenset(
    stem(word)
    for word in "reject rejected deny denies denied dispute disagree refute dismiss fabrication "
    "contrary lie lies baseless untrue unfounded false".split()
)
"""Stems of words by which one side contests what another says."""

CHANGES = frozenset(
    stem(verb)
    for verb in "rise rises rose risen rising fall falls fell fallen falling grow grew grown drop "
    "climb decline increase decrease gain jump slip plunge surge slump tumble soar shrink shrank "
    "shed up down".split()
)
"""Stems of words after which a number without a preposition is by how much."""

# Words of a line qualify the noun after them, so that it is none, or none yet, or no more. A claim
# must keep one of the line.
_PRIVATIVES = """\
fake counterfeit forged false bogus sham mock hoax phoney pseudo replica imitation
former ex previous once onetime sometime erstwhile deposed formerly previously
alleged suspected accused purported presumed supposed reputed allegedly
so-called so self-styled self-proclaimed self called styled proclaimed
would-be would proposed draft planned intended potential possible prospective aspiring proposal plan
elect designate incoming
deputy vice assistant associate honorary
failed attempted abortive thwarted foiled botched unsuccessful aborted averted attempt fail
"""


@lru_cache(maxsize=1)
def privatives() -> dict[str, frozenset[str]]:
    """Words that make a noun less than it says, each with the stems of all words of its line."""
    found: dict[str, frozenset[str]] = {}
    for line in _PRIVATIVES.splitlines():
        stems = frozenset(stem(part) for part in line.replace("-", " ").split())
        found |= dict.fromkeys(line.split(), stems)
    return found


@lru_cache(maxsize=1)
def plain_speech() -> frozenset[str]:
    """The stems of `PLAIN_SPEECH`."""
    return frozenset(stem(verb) for verb in PLAIN_SPEECH)


@lru_cache(maxsize=1)
def _synonym_groups() -> dict[str, frozenset[str]]:
    groups: dict[str, set[str]] = {}
    for number, line in enumerate(_SYNONYMS.split(";")):
        for word in line.split():
            groups.setdefault(stem(word), set()).add(f"~{number}")
    return {word: frozenset(ids) for word, ids in groups.items()}


@lru_cache(maxsize=1)
def _opposites() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for line in _OPPOSITES.splitlines():
        left, right = ([stem(word) for word in side.split()] for side in line.split("|"))
        for ours, theirs in ((left, right), (right, left)):
            for word in ours:
                found.setdefault(word, set()).update(theirs)
    return {word: frozenset(others) for word, others in found.items()}


@lru_cache(maxsize=1)
def _scopes() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for line in _SCOPE.splitlines():
        backed = frozenset(stem(word) for word in line.replace("|", " ").split())
        found |= {stem(word): backed for word in line.split("|")[0].split()}
    return found


def meanings(word: str) -> frozenset[str]:
    """A stem and the groups of synonyms that it belongs to: two words with a common one match."""
    return _synonym_groups().get(word, frozenset()) | {word}


def opposites(word: str) -> frozenset[str]:
    """Stems that mean the opposite of a stem."""
    return _opposites().get(word, frozenset())


def backing(word: str) -> frozenset[str]:
    """The stems of which a source must have one where a claim has this scope word; none for any
    other word."""
    return _scopes().get(word, frozenset())
