using System.Collections.Immutable;
using Serve.Rl.Rendering;

namespace Serve.Rl.Environments;

/// <summary>
/// A taxi picks up a passenger at one of four stops of a 5 × 5 grid with walls and brings it to another one (T. Dietterich, 2000). Actions: 0 south, 1 north, 2 east, 3 west, 4 pick up,
/// 5 drop off. Rewards: -1 per step, -10 for an illegal pick-up or drop-off, +20 for the delivery, which ends the episode. State: ((row × 5 + column) × 5 + passenger) × 4 + destination, where
/// passenger 4 is inside the taxi. The information has <c>prob</c> and <c>action_mask</c>.
/// </summary>
public sealed class TaxiEnv : TabularEnv
{
    private const int InTaxi = 4;

    private static readonly string[] Map = ["+---------+", "|R: | : :G|", "| : | : : |", "| : : : : |", "| | : | : |", "|Y| : |B: |", "+---------+"];
    private static readonly (int Row, int Column)[] Stops = [(0, 0), (0, 4), (4, 0), (4, 3)];
    private static readonly Rgb[] StopColors = [new(230, 60, 60), new(60, 190, 80), new(240, 210, 60), new(70, 100, 230)];
    private static readonly string[] ActionNames = ["South", "North", "East", "West", "Pickup", "Dropoff"];
    private static readonly ImmutableArray<bool>[] Masks = [.. Enumerable.Range(0, 500).Select(MaskOf)];

    /// <summary>Headings of the actions 0 to 3, each with the headings to its left and right.</summary>
    private static readonly (int Row, int Column)[][] Headings =
    [
        [(1, 0), (0, 1), (0, -1)],
        [(-1, 0), (0, -1), (0, 1)],
        [(0, 1), (-1, 0), (1, 0)],
        [(0, -1), (1, 0), (-1, 0)],
    ];

    private readonly bool _isFickle;
    private readonly double _fickleProbability;
    private bool _isPassengerUndecided;

    /// <summary>Creates the environment.</summary>
    /// <param name="isRainy">Whether a move goes to the left or right of its direction at times.</param>
    /// <param name="isFickle">Whether the passenger changes its destination at the first move with it in some episodes.</param>
    /// <param name="rainyProbability">The probability of the intended move in the rain.</param>
    /// <param name="fickleProbability">The probability of an episode in which the passenger changes its destination.</param>
    public TaxiEnv(bool isRainy = false, bool isFickle = false, double rainyProbability = 0.8, double fickleProbability = 0.3)
        : base(500, 6, (state, action) => OutcomesOf(state, action, isRainy ? RequireProbability(rainyProbability, nameof(rainyProbability)) : null), IsStart)
    {
        _isFickle = isFickle;
        _fickleProbability = RequireProbability(fickleProbability, nameof(fickleProbability));
    }

    private protected override bool IsTableComplete => !_isFickle;

    /// <summary>Returns whether each action changes the state, by action.</summary>
    public static ImmutableArray<bool> ActionMask(int state) => Masks[state];

    /// <inheritdoc />
    public override string Render()
    {
        var (row, column, passenger, destination) = Decode(StartedState);
        string[][] cells = [.. Map.Select(line => line.Select(cell => cell.ToString()).ToArray())];
        ref var taxi = ref cells[1 + row][(2 * column) + 1];
        if (passenger < InTaxi)
        {
            taxi = AnsiText.Highlighted(taxi, AnsiText.Yellow);
            ref var stop = ref cells[1 + Stops[passenger].Row][(2 * Stops[passenger].Column) + 1];
            stop = AnsiText.Colored(stop, AnsiText.Blue, isBold: true);
        }
        else
        {
            taxi = AnsiText.Highlighted(taxi == " " ? "_" : taxi, AnsiText.Green);
        }

        ref var goal = ref cells[1 + Stops[destination].Row][(2 * Stops[destination].Column) + 1];
        goal = AnsiText.Colored(goal, AnsiText.Magenta);
        return $"{string.Join('\n', cells.Select(line => string.Concat(line)))}\n{(LastAction < 0 ? "" : $"  ({ActionNames[LastAction]})")}\n";
    }

    /// <inheritdoc />
    public override RgbFrame RenderRgb()
    {
        const int Cell = 50;
        var canvas = new FrameCanvas(Map[0].Length * Cell, Map.Length * Cell, new(150, 150, 150));
        var wall = new Rgb(70, 120, 60);
        foreach (var (y, line) in Map.Index())
        {
            foreach (var (x, cell) in line.Index())
            {
                if (cell is '|' or '-' or '+')
                    canvas.Rectangle(x * Cell, y * Cell, Cell, Cell, wall);
            }
        }

        var (row, column, passenger, destination) = Decode(StartedState);
        foreach (var (index, stop) in Stops.Index())
            canvas.Rectangle(Left(stop.Column), Top(stop.Row), Cell, Cell, StopColors[index]);
        var goal = Stops[destination];
        canvas.Rectangle(Left(goal.Column) + 5, Top(goal.Row) + 5, Cell - 10, Cell - 10, new(190, 60, 190));
        canvas.Rectangle(Left(column) + 8, Top(row) + 14, Cell - 16, Cell - 28, new(255, 190, 0));
        canvas.Circle(Left(column) + 15, Top(row) + 37, 5, Rgb.Black);
        canvas.Circle(Left(column) + 35, Top(row) + 37, 5, Rgb.Black);
        var (personRow, personColumn) = passenger < InTaxi ? Stops[passenger] : (row, column);
        canvas.Circle(Left(personColumn) + 25, Top(personRow) + 15, 7, new(40, 40, 120));
        return canvas.ToFrame();

        static int Left(int column) => ((2 * column) + 1) * Cell;
        static int Top(int row) => (row + 1) * Cell;
    }

    private protected override void BeginEpisode() => _isPassengerUndecided = _isFickle && Random.NextDouble() < _fickleProbability;

    private protected override int ChangeState(int previous, int next)
    {
        var (row, column, passenger, destination) = Decode(previous);
        var (nextRow, nextColumn, nextPassenger, _) = Decode(next);
        if (!_isPassengerUndecided || passenger != InTaxi || (row == nextRow && column == nextColumn))
            return next;
        _isPassengerUndecided = false;
        var other = (int)Random.NextInteger(Stops.Length - 1);
        return Encode(nextRow, nextColumn, nextPassenger, other < destination ? other : other + 1);
    }

    private protected override EnvInfo InfoOf(double probability) => EnvInfo.Of(("prob", probability), ("action_mask", Masks[State]));

    private static double RequireProbability(double value, string name) =>
        value is >= 0 and <= 1 ? value : throw new ArgumentOutOfRangeException(name, FormattableString.Invariant($"Probability must be between 0 and 1, but was {value}."));

    private static int Encode(int row, int column, int passenger, int destination) => (((((row * 5) + column) * 5) + passenger) * 4) + destination;

    private static (int Row, int Column, int Passenger, int Destination) Decode(int state) => (state / 100, state / 20 % 5, state / 4 % 5, state % 4);

    private static double IsStart(int state) => Decode(state) is (_, _, < InTaxi and var passenger, var destination) && passenger != destination ? 1 : 0;

    private static bool IsOpen(int row, int column, int action) => action switch
    {
        0 => row < 4,
        1 => row > 0,
        2 => Map[1 + row][(2 * column) + 2] == ':',
        _ => Map[1 + row][2 * column] == ':',
    };

    private static TabularTransition[] OutcomesOf(int state, int action, double? rainyProbability)
    {
        var (row, column, passenger, destination) = Decode(state);
        var stop = Array.IndexOf(Stops, (row, column));
        if (action == 4)
            return stop >= 0 && stop == passenger ? [new(1, Encode(row, column, InTaxi, destination), -1, false)] : [new(1, state, -10, false)];
        if (action == 5)
        {
            if (passenger != InTaxi || stop < 0)
                return [new(1, state, -10, false)];
            return [new(1, Encode(row, column, stop, destination), stop == destination ? 20 : -1, stop == destination)];
        }

        // Without an open way ahead the taxi does not drift either.
        var isOpen = IsOpen(row, column, action);
        var moves = Headings[action];
        var states = Array.ConvertAll(moves, move => isOpen ? Moved(move) : state);
        return rainyProbability is { } intended
            ? [new(intended, states[0], -1, false), new((1 - intended) / 2, states[1], -1, false), new((1 - intended) / 2, states[2], -1, false)]
            : [new(1, states[0], -1, false)];

        int Moved((int Row, int Column) move) =>
            IsOpen(row, column, Array.FindIndex(Headings, heading => heading[0] == move)) ? Encode(row + move.Row, column + move.Column, passenger, destination) : state;
    }

    private static ImmutableArray<bool> MaskOf(int state)
    {
        var (row, column, passenger, _) = Decode(state);
        var stop = Array.IndexOf(Stops, (row, column));
        return [IsOpen(row, column, 0), IsOpen(row, column, 1), IsOpen(row, column, 2), IsOpen(row, column, 3), stop >= 0 && stop == passenger, stop >= 0 && passenger == InTaxi];
    }
}
