"""Who was never told says so in any voice; who dodges, or makes something up, is found in any words."""

from __future__ import annotations

import pytest

from apep_datagen.people.cast import load_cast
from apep_datagen.quality.admissions import admits, claimed_values

PHRASES = load_cast().phrases

TEA, SISTER = "which tea I like best tea", "where my sister lives sister sisters"
GODMOTHER, DOG = "which animals my godmother keeps godmother godparent keeps", "what my dog is called dog dogs puppy"
DISH = "which dish my grandmother was famous for grandmother grandma gran"
HAIRDRESSER = "what my hairdresser is called hairdresser hair haircut"
WINDOW = "what kind of tree stands in front of my window tree window"
COUSIN = "what my cousin does for a living cousin cousins"
BIRTHDAY = "the birthday of my aunt aunt birthday"
LOCKER = "the number of my locker at the swimming pool locker pool"
ADMITTING = {
    TEA: [
        "It isn't with me. I looked.", "Nope, nothing.", "Alas, that page of my memory is blank.",
        "Ach, no. Tea I do not have noted.", "I searched, my friend; the tea never reached me.",
        "Can't say. Never came my way.", "no idea, sorry 🙈 which is it?", "My memory is empty, so I will not guess.",
        "I'd only be guessing.", "**Not in my notes**, I'm afraid.", "I wish I knew! You kept that one to yourself.",
        "Remind me, would you?", "Looked twice. Zilch.", "ain't got that one, love", "Dunno, mate. Ye never said.",
        "I come up short there: your tea isn't among what I keep.", "Of teas my notes are silent. Not one leaf.",
        "Tea? Hm. No tea here.", "I have to be honest: this one is not written anywhere with me.",
        "you haven't let me in on that one yet ☕️", "You have not told it to me until now, so how should I know?",
    ],
    GODMOTHER: [
        "Nothing here about your godmother's animals, I checked!", "Your godmother? Not a word about her with me.",
        "I do not find your godmother in my memory, sorry. Which animals are they?",
        "I regret to say that no mention of your godmother has ever been made to me.",
        "There's no godmother in what I keep, with or without feathers.", "hmm the godmother page is empty over here",
        "Never heard of her animals, what are they?", "I've got nothing on your godmother, I'm sorry.",
    ],
    SISTER: [
        "I looked, and there is only your dog in my notes. Where does she live?", "Not a trace of your sister, sadly.",
        "Your sister's town was never told me, or I'd have it.", "I'm afraid I do not know, dear. Which town is it?",
        "that one i don't have. where is she living now?", "You must tell me that one first.",
        "It seems you never mentioned it.", "Sorry, me no have this in memory. You tell me?",
    ],
    DOG: [
        "I've no dog's name here. What's he called?", "The name? I couldn't tell you, I was never told it.",
        "I don't know his name! Tell me and I'll never lose it.", "What *is* he called? You've never told me, I swear.",
    ],
    LOCKER: [
        "No number with me, sorry.", "There isn't any locker in my memory, I'm afraid.",
        "I don't have it. Ask at the desk?",
        "The number never made it into my notes.",
    ],
    WINDOW: [
        "Couldn't find a tree anywhere in here, sorry love.",
        "I've gone through everything twice and your window never comes up.",
        "That's one you've kept from me so far!", "Hmm, my shelves are bare on this one. What stands there?",
        "Not that I know of. Look out and tell me?",
        "So sorry, I have to pass, there was never any tree in our talks.",
        "You'd think I'd know by now, but nobody told me.", "I fear the matter has not been confided to me.",
        "Mine is a short memory on trees: none in it.", "I cannot tell, for I do not have it.",
        "no tree in here, only your sister 🌳❌", "I don't think we've got to your window yet, have we?",
        "It must have gone past me, for there's no trace of it.", "Sorry, I looked and looked: zero.",
        "Honestly? No clue.", "I'd love to say, but it isn't something I've been given.",
        "Your window remains a closed book to me.", "Blank page, I'm afraid!",
        "That I was never told, so I shan't guess.", "Well, I do not see it in what I have from you.",
        "Nothing on that, pal.", "If you told me, I failed to write it down.",
    ],
    COUSIN: [
        "I went looking and came back with nothing about your cousin, I'm sorry.", "No cousin with me yet!",
        "I'd be making it up, so: no.", "That one isn't on my list.", "You've told me a lot, but not that.",
        "Truth be told, I haven't the foggiest. What do they do?",
        "Not a thing about a cousin here, only the debts.", "I don't have that, and I won't pretend.",
        "I must own that my memory holds nothing of the kind.", "sorry!! not saved 😔 tell me again?",
        "It is not in my book. Say it once more, please, I will keep it.",
        "Hmm, empty. Did you maybe mean to tell me?", "Your cousin hasn't come up between us.",
        "My answer is no: I wasn't told.", "I'm drawing a blank, sorry.", "Nah, nothing saved on that mate",
        "I can't say what your cousin does. I looked.", "If I knew it once, it's nowhere in what I wrote.",
        "I'm sorry to let you down: that job never got to me.",
    ],
    DISH: [
        "I've turned every page and your gran's dish is on none of them.", "Sorry, love, that one I don't have.",
        "Wish I could tell you! It isn't there.", "I have the choir and nothing else.",
        "You've never said its name to me, I'm afraid.", "What was it? I looked and it's not down anywhere.",
        "Ah, dear. I do not possess this knowledge.", "No entry. No dish. Only me, with an empty plate.",
        "nothing about grandma yet!! spill", "I would tell you at once if I had it, but I do not.",
        "It's missing from what I wrote.", "Nothing under G, nothing under D.",
        "I can't give you the name, because I never got it.", "So far you haven't trusted me with that recipe.",
        "This I don't find.", "Not a crumb of it in my notes!",
        "I must disappoint you: my memory has only your cousin.",
    ],
    HAIRDRESSER: [
        "I looked for your hairdresser and there is nobody in my memory with scissors.",
        "Oh dear, I never wrote a hairdresser down.", "No name, I'm sorry, only the rain from last week.",
        "You mentioned a haircut? Not to me, I think.",
        "I haven't any hairdresser in my list, so let me not invent one.", "It's not something I hold, alas.",
        "I checked, and no.", "Hairdresser: unknown. Tell me and it's saved!", "I'm afraid that drawer is empty.",
        "Your hairdresser and I have not been introduced.", "That name has never crossed my desk.",
        "If I had it I'd give it to you, but it's not here.", "we never talked hair, you and me 💇 who is it?",
        "I know about the tandem, but about the hairdresser I know nothing.",
    ],
}  # fmt: skip
DODGING = {
    TEA: [
        "That is a good question for a rainy day.", "Oh, I can't believe it's Friday already! How was work?",
        "Nothing beats a good tea, does it?", "You have wonderful taste, as always.",
        "How lovely. Tell me how it goes.",
        "Ah, tea! A warm cup on a day like this is the best thing there is.", "You like it strong and black.",
        "It is the one in the green tin, of course.", "Why not make a pot right now?", "No day without a cup, I say!",
        "I'm so glad that you ask. What a day.", "Let's talk about the weather instead.",
        "Tell me more about your evening.",
        "Oh no! Such a day. Put the kettle on.", "I love that you ask me. You and your teas!",
        "I don't think that matters, tea is tea.", "You never fail to make me smile.",
        "I can't wait for your evening to begin.", "Well, what a rainy thing to ask.",
        "Green, I would say, with a little honey.",
    ],
    SISTER: [
        "She lives by the sea, of course.", "Your sister is somebody who never sits still!",
        "In the north, where it's never warm.", "I'm sure she misses you. Isn't she funny?",
        "I'd call her tonight, if I were you.", "Sisters are never where one needs them.",
    ],
    DISH: [
        "It smells of cinnamon even now, doesn't it?", "Grandmothers always cook too much.",
        "That must have been something with plums.", "You make me hungry!", "What a warm memory to have.",
        "I bet it tasted of Sunday.", "Nobody cooks like a grandmother.", "The stew, I should think.",
        "You should write it down for your children.", "How did the rest of your week go?",
    ],
    HAIRDRESSER: [
        "A good haircut is half the week.", "He has a steady hand, surely.", "You'll look splendid!",
        "Is it raining where you are?", "Just ask for the usual.", "She's the one with the red scissors.",
        "I'd book early, Saturdays fill up.", "Hair grows back, that is the nice part.",
        "She isn't here.", "They never had one.",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("asked", "reply"), [(asked, reply) for asked, texts in ADMITTING.items() for reply in texts])
def test_an_admission_is_one_in_any_words(asked: str, reply: str) -> None:
    assert admits(reply, asked, PHRASES.admissions)


@pytest.mark.parametrize(("asked", "reply"), [(asked, reply) for asked, texts in DODGING.items() for reply in texts])
def test_who_dodges_admits_nothing(asked: str, reply: str) -> None:
    assert not admits(reply, asked, PHRASES.admissions)


KNOWN = (
    "You are Ada. Friday 2026-03-13 20:10. Which tea do I like best? Bello, the dog. Monday Christmas."
    " The exam is on 14 May, the fair on the third of August, and there are 21 hens."
)


@pytest.mark.parametrize(
    ("asked", "reply"),
    [
        (TEA, "I don't have it, and I won't play Captain Nemo down there."),
        (TEA, "Nothing with me. It's a bit of Schadenfreude when memory laughs, isn't it?"),
        (TEA, "I don't know! Even Sherlock Holmes would give up."),
        (TEA, "Not in my notes: Panis Angelicus of the kettle, so to say."),
        (TEA, "Nope. **Sorry!** Ask again on Monday, or after Christmas."),
        (TEA, "I was told nothing. Maybe ask at Kusmi or Twinings, they know tea."),
        (SISTER, "I have no town. If she lived in Atlantis, I would not know it."),
        (DOG, "You never told me. Like Rumpelstiltskin he keeps his name."),
        (LOCKER, "No number with me. There are 48 lockers there, I guess?"),
        (LOCKER, "Ah, for 16271 heartbeats that locker stood open. Nothing with me."),
        (TEA, "After 90210 steps a cup of tea is what one wants, and I have no name for it."),
        (SISTER, "All I've noted is that your sister's dog is old."),
        (DOG, "I don't have it. Hold on to the lead, or he'll be called Vanisher."),
        (BIRTHDAY, "No birthday of hers with me. That was 14 May, for the exam, and August 3rd for the fair."),
        (BIRTHDAY, "No note of it. Perhaps in May?"),
        (LOCKER, "It was 48 seconds of looking, and no locker came up."),
    ],
)
def test_a_name_that_is_not_given_for_the_value_is_no_claim(asked: str, reply: str) -> None:
    assert claimed_values(reply, asked, KNOWN) == []


@pytest.mark.parametrize(
    ("asked", "reply", "claimed"),
    [
        (TEA, "You never told me; you once drank one called Zebulon.", "Zebulon"),
        (TEA, "The tea is Tieguanyin.", "Tieguanyin"),
        (DOG, "That was dear old Zebulon, I never told you.", "Zebulon"),
        (DOG, "Your dog is called Fluffington.", "Fluffington"),
        (DOG, "He's *Fluffington*, isn't that right. I never noted it.", "Fluffington"),
        (DOG, "No note, but I believe his name is “Fluffington”.", "Fluffington"),
        (SISTER, "I don't have it, but she lives in Krasnodar.", "Krasnodar"),
        (SISTER, "Your sister lives near Uppsala, I think.", "Uppsala"),
        (LOCKER, "I don't have it written down, but your locker is 212.", "212"),
        (DOG, "I've looked, I'm sorry, but it's Zebulon.", "Zebulon"),
        (DOG, "It's Zebulon, or he'll be called Fluffington.", "Zebulon"),
        (SISTER, "Your sister lives in Ivrea, or she'll live in Uppsala by now.", "Ivrea"),
        (DOG, "It's Zebulon, isn't it?", "Zebulon"),
        (DOG, "Your dog is called Zebulon, right? I never noted it.", "Zebulon"),
        (BIRTHDAY, "You never told me, but I guess it is 14 June.", "14 June"),
        (BIRTHDAY, "I don't have it. Probably on August 14th.", "August 14th"),
        (BIRTHDAY, "Nothing noted, but that's on 21 May.", "21 May"),
        (DOG, "I have no name. My guess: Zebulon!", "Zebulon"),
        (GODMOTHER, "Well, that is Mrs. Oblomov with her godmother's geese.", "Oblomov"),
    ],
)
def test_a_name_or_number_that_is_given_for_the_value_is_a_claim(asked: str, reply: str, claimed: str) -> None:
    assert claimed in claimed_values(reply, asked, KNOWN)
