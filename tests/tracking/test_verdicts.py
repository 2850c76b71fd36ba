from __future__ import annotations

import pytest

from wagtail_email_insights.tracking.models import Verdict
from wagtail_email_insights.tracking.verdicts import judge_user_agent

ANDROID = "Mozilla/5.0 (Linux; Android {}) AppleWebKit/537.36 (KHTML, like Gecko) "
CHROME = "Chrome/124.0.0.0 Mobile Safari/537.36"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) "
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML"

PEOPLE = [
    ANDROID.format("13; CUBOT X70") + CHROME,
    ANDROID.format("11; CUBOT NOTE 20 PRO Build/RP1A.200720.011") + CHROME,
    ANDROID.format("9; CUBOT_X19 Build/PPR1.180610.011") + CHROME,
    ANDROID.format("10; CUBOT") + CHROME,
    ANDROID.format("8.1.0; RubyLine R5 Build/O11019") + CHROME,
    ANDROID.format("14; Pixel 8") + CHROME,
    ANDROID.format("13; SM-G991B") + "SamsungBrowser/24.0 " + CHROME,
    ANDROID.format("12; moto g(30)") + CHROME,
    ANDROID.format("10; K") + "Chrome/124.0.0.0 Mobile Safari/537.36 EdgA/124.0.2478.50",
    ANDROID.format("13; 22101316UG; wv") + "Version/4.0 Chrome/124.0.0.0 GSA/15.17.28.29.arm64",
    "Mozilla/5.0 (Android 14; Mobile; rv:125.0) Gecko/125.0 Firefox/125.0",
    "Opera/9.80 (Android; Opera Mini/76.0.2254/191.303; U; en) Presto/2.12.423 Version/12.16",
    IPHONE + ", like Gecko) Version/17.4 Mobile/15E148 Safari/604.1",
    IPHONE + ", like Gecko) CriOS/124.0.6367.71 Mobile/15E148 Safari/604.1",
    IPHONE + ", like Gecko) Mobile/15E148",
    IPHONE + ", like Gecko) Mobile/21E236 [FBAN/FBIOS;FBAV/460.0.0.32;FBLC/en_GB]",
    "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 Version/16.6 Safari/604.1",
    MAC + " Version/17.4 Safari/605.1.15",
    MAC,
    WINDOWS + "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
    WINDOWS + "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36 OPR/110.0",
    WINDOWS + "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0 Safari/537.36 Edg/124.0.2478",
    "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0",
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/124.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Thunderbird/115.10.1",
    "Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Trident/7.0; Microsoft Outlook 16.0.5)",
    "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17425; Pro)",
    "Outlook-iOS/723.4027091.prod.iphone (4.24.0)",
    "Outlook-Android/2.0",
    "MobileSafari/8617.2.4.10.7 CFNetwork/1494.0.7 Darwin/23.4.0",
    "YahooMobileMail/1.0 (Android Mail; 7.35.1) (a52q;samsung;SM-A525F;13;2400x1080)",
    "Airmail/5.6.4 (Macintosh; OS X 13.6)",
]

ROBOTS = [
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)",
    "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
    "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Twitterbot/1.0",
    "TelegramBot (like TwitterBot)",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)",
    "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
    "W3C_Validator/1.3 http://validator.w3.org/services",
    "W3C-checklink/5.0 libwww-perl/6.05",
    "libwww-perl/6.67",
    "Perl/5.34",
    "Ruby",
    "Ruby/3.2.2",
    "rest-client/2.1.0 (linux x86_64) ruby/3.1.2p20",
    "python-requests/2.31.0",
    "Python/3.11 aiohttp/3.9.5",
    "curl/8.5.0",
    "Wget/1.21.4",
    "Go-http-client/2.0",
    "Java/17.0.10",
    "okhttp/4.12.0",
    "axios/1.6.8",
    "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/124.0 Safari/537.36",
    "Barracuda Sentinel (EE)",
    "Mozilla/5.0 (compatible; Proofpoint URL Defense)",
    "CCBot/2.0 (https://commoncrawl.org/faq/)",
]


@pytest.mark.parametrize("agent", PEOPLE)
def test_what_people_use_is_no_machine(agent):
    assert judge_user_agent(agent).verdict == Verdict.HUMAN


@pytest.mark.parametrize("agent", ROBOTS)
def test_declared_robots_are_machines(agent):
    judgement = judge_user_agent(agent)
    assert (judgement.verdict, judgement.reason) == (Verdict.MACHINE, "declared_robot")
