using Serve.Rl.Rendering;
using Serve.Rl.Spaces;

namespace Serve.Rl.Environments;

/// <summary>
/// Blackjack against a fixed dealer with an infinite deck (Sutton and Barto, example 5.1). Observation: (sum of the player, the dealer's card, 1 if the player has a usable ace). Actions: 0 stick,
/// 1 hit. Reward: 1 for a win, 0 for a draw, -1 for a loss.
/// </summary>
/// <param name="natural">Whether a win with a natural (an ace and a ten) pays 1.5. Ignored if <paramref name="suttonBarto"/> is set.</param>
/// <param name="suttonBarto">Whether a natural of the player wins against any other hand of the dealer, as in the book.</param>
public sealed class BlackjackEnv(bool natural = false, bool suttonBarto = false) : Env<object[], int>
{
    private static readonly int[] Deck = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10, 10];
    private static readonly TupleSpace Observations = new(new Discrete(32), new Discrete(11), new Discrete(2));
    private static readonly Discrete Actions = new(2);

    private readonly List<int> _dealer = [];
    private readonly List<int> _player = [];

    /// <inheritdoc />
    public override Space<object[]> ObservationSpace { get; } = Observations;

    /// <inheritdoc />
    public override Space<int> ActionSpace { get; } = Actions;

    /// <inheritdoc />
    public override (object[] Observation, EnvInfo Info) Reset(ulong? seed = null, IReadOnlyDictionary<string, object>? options = null)
    {
        SeedRandom(seed);
        foreach (var hand in new[] { _dealer, _player })
        {
            hand.Clear();
            hand.Add(DrawCard());
            hand.Add(DrawCard());
        }

        // Gymnasium draws the suit of the dealer's card and the rank of a ten from the same generator.
        Random.NextInteger(4);
        if (_dealer[0] == 10)
            Random.NextInteger(3);
        return (Observe(), EnvInfo.Empty);
    }

    /// <inheritdoc />
    public override StepResult<object[]> Step(int action)
    {
        if (!Actions.Contains(action))
            throw new ArgumentException($"Action of {DisplayName} must be an element of {Actions}, but was {action}.", nameof(action));
        if (_player.Count == 0)
            throw new InvalidOperationException($"Step of {DisplayName} must not be called before the first Reset. Call Reset first.");
        if (action == 1)
        {
            _player.Add(DrawCard());
            var isBust = Total(_player) > 21;
            return new(Observe(), isBust ? -1 : 0, isBust, false, EnvInfo.Empty);
        }

        while (Total(_dealer) < 17)
            _dealer.Add(DrawCard());
        double reward = Score(_player).CompareTo(Score(_dealer));
        if (suttonBarto && IsNatural(_player) && !IsNatural(_dealer))
            reward = 1;
        else if (!suttonBarto && natural && IsNatural(_player) && reward == 1)
            reward = 1.5;
        return new(Observe(), reward, true, false, EnvInfo.Empty);
    }

    /// <inheritdoc />
    public override string? Render() => _player.Count == 0 ? null : $"Dealer: {Name(_dealer[0])} ?\nPlayer: {string.Join(' ', _player.Select(Name))} ({Total(_player)})\n";

    /// <inheritdoc />
    public override RgbFrame? RenderRgb()
    {
        if (_player.Count == 0)
            return null;
        var canvas = new FrameCanvas(600, 500, new(20, 110, 60));
        Card(40, 40, _dealer[0]);
        Card(130, 40, 0);
        foreach (var (index, card) in _player.Index())
            Card(40 + (index * 90), 280, card);
        return canvas.ToFrame();

        // A card has as many pips as its value; the hidden card has none.
        void Card(int x, int y, int value)
        {
            canvas.Rectangle(x, y, 80, 160, value == 0 ? new(150, 40, 40) : Rgb.White);
            for (var pip = 0; pip < value; pip++)
                canvas.Circle(x + 25 + (pip % 2 * 30), y + 20 + (pip / 2 * 30), 9, Rgb.Black);
        }
    }

    private int DrawCard() => Deck[Random.NextInteger(Deck.Length)];

    private object[] Observe() => [Total(_player), _dealer[0], HasUsableAce(_player) ? 1 : 0];

    private static bool HasUsableAce(List<int> hand) => hand.Contains(1) && hand.Sum() + 10 <= 21;

    private static int Total(List<int> hand) => hand.Sum() + (HasUsableAce(hand) ? 10 : 0);

    private static int Score(List<int> hand) => Total(hand) is var total and <= 21 ? total : 0;

    private static bool IsNatural(List<int> hand) => hand.Count == 2 && hand.Contains(1) && hand.Contains(10);

    private static string Name(int card) => card == 1 ? "A" : card.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
