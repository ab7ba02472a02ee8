// A trip booking with retries, an approval and compensation. Press Ctrl+C while it waits, and start it again: it continues where it was, without booking the flights again.
//
//     dotnet run -c Release samples/workflows/02-trip.cs
//     dotnet run -c Release samples/workflows/02-trip.cs decline

await using var ray = await Cluster.Init();
await using var workflows = await ray.StartWorkflows(new() { Storage = Path.Combine(Path.GetTempPath(), "serve-sample-trip.db") });

var id = $"trip-{(args is ["decline"] ? "declined" : "approved")}";
var trip = await workflows.BookTrip.Start(new Trip("BER", "LIS"), new() { Id = id, Metadata = { ["user"] = "ann" } });
if (trip.GetStatus() == WorkflowStatus.Running)
{
    await trip.Signal(booking => booking.AddBag(12), idempotencyKey: "bag");
    Console.WriteLine($"waiting for the approval of {await trip.Query(booking => booking.Bags())} kg of bags …");
    await Task.Delay(TimeSpan.FromSeconds(5));
    await trip.SendEvent("approve", args is ["decline"] ? new Approval(false, "too expensive") : new Approval(true, ""), idempotencyKey: "approval");
}

try
{
    Console.WriteLine(await trip);
}
catch (WorkflowFailedException failure)
{
    Console.WriteLine(failure.Message);
}

foreach (var entry in workflows.GetHistory(id))
    Console.WriteLine($"{entry.Position,3} {entry.Kind,-14} {entry.Name} {(entry.Attempts > 1 ? $"({entry.Attempts} attempts)" : "")}");

public sealed record Trip(string From, string To);

public sealed record Approval(bool Yes, string Why);

public sealed record Receipt(string Outward, string Return, string Hotel, int Bags);

[Workflow]
public sealed class BookTrip
{
    private int _bags;

    public async Task<Receipt> Run(WorkflowContext ctx, Trip trip)
    {
        var flights = await Task.WhenAll(ctx.Bookings.BookFlight.Run(trip.From, trip.To), ctx.Bookings.BookFlight.Run(trip.To, trip.From));
        try
        {
            var hotel = await ctx.Bookings.BookHotel.Run(trip.To);
            var approval = await ctx.WaitForEvent<Approval>("approve", timeout: TimeSpan.FromDays(3));
            return approval.Yes ? new(flights[0], flights[1], hotel, _bags) : throw new InvalidOperationException(approval.Why);
        }
        catch (Exception)
        {
            // Compensation: also when the workflow is canceled.
            foreach (var flight in flights)
                await ctx.Bookings.CancelFlight.Run(flight);
            throw;
        }
    }

    [Signal]
    public void AddBag(int kilos) => _bags += kilos;

    [Query]
    public int Bags() => _bags;
}

public static class Bookings
{
    /// <summary>The airline books once per key, however often the step runs.</summary>
    [Step]
    public static string BookFlight(string from, string to, StepContext step)
    {
        Console.WriteLine($"booking a flight from {from} to {to}");
        return $"{from}-{to} ({step.IdempotencyKey})";
    }

    [Step(MaxRetries = 5, RetryOn = [typeof(IOException)], BackoffSeconds = 0.2)]
    public static string BookHotel(string city, StepContext step) =>
        step.Attempt < 3 ? throw new IOException("the hotel does not answer") : $"hotel in {city}";

    [Step]
    public static void CancelFlight(string flight) => Console.WriteLine($"canceling {flight}");
}
