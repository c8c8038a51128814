"""What every voice of the benchmark says: sentences that no training text has, the same ones always."""

from __future__ import annotations

SENTENCES: tuple[str, ...] = (
    "The train to the coast leaves from platform four in ten minutes.",
    "She opened the window because the room was far too warm.",
    "Could you send me the address of that new Chinese restaurant?",
    "My brother plays the guitar in a small jazz band on weekends.",
    "The doctor asked how long I had been feeling so tired.",
    "We usually buy fresh fish and vegetables at the market.",
    "Nobody noticed the strange noise until the engine stopped.",
    "He enjoys long walks through the forest with his two dogs.",
    "The children laughed as the clown dropped the oranges.",
    "I thought the meeting would be over before noon.",
    "What time does the library close on Saturday evening?",
    "The old house at the corner was finally sold last month.",
    "Please check the figures again and call me this afternoon.",
    "They are planning a short vacation in northern Italy.",
    "The judge decided that the evidence was not strong enough.",
    "A cold wind blew across the valley during the night.",
    "I would like a cup of coffee with milk and no sugar.",
    "Our teacher explained the problem using a simple picture.",
    "The price of oil rose sharply after the announcement.",
    "He has worked for the same company for thirty years.",
    "Did you hear that Joyce won the photography prize?",
    "You should measure the width of the table first.",
    "The pilot told us that the weather ahead was clear.",
    "Most young people get their news from the internet.",
    "She usually finishes her homework before watching television.",
    "The museum will be closed for repairs until the spring.",
    "I forgot my umbrella, so I got completely wet.",
    "The bridge across the river was built by local engineers.",
    "Without your help, we could never have moved that piano.",
    "There is nothing better than a hot shower after a hard day.",
    "The government has promised to lower taxes for small businesses.",
    "Her voice was calm, but her hands were shaking.",
    "Which of these three choices do you think is the cheapest?",
    "The garden looks beautiful now that the roses are blooming.",
    "Several guests arrived late because of heavy traffic downtown.",
    "He put the key in his pocket and walked away quietly.",
    "The soup needs a little more salt and some black pepper.",
    "A large ship was waiting outside the harbor this morning.",
    "It usually takes about an hour to drive to the airport.",
    "Thank you for calling, and have a pleasant evening.",
)
"""For the numbers: six to fourteen words of everyday English, with every phoneme, in the recogniser's dictionary."""

LISTENING: tuple[str, ...] = (
    "This is what the new voice sounds like after listening to a few minutes of speech.",
    "Would you have believed it, if somebody had told you that yesterday?",
    "On a quiet evening in July, three fishermen rowed their boat across the harbor, "
    "talking about the weather, the price of bread, and the measure of a good life.",
)
"""For ears: a statement, a question, and one long sentence."""
