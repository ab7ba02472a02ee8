// An actor keeps state between calls. Calls of one caller run in order, one at a time, so the field needs no lock.
//
//     dotnet run -c Release samples/core/06-counter.cs

await using var ray = await Cluster.Init();

ActorHandle<Counter> counter = ray.Counter.Remote();
var refs = Enumerable.Range(1, 5).Select(by => counter.Increment.Remote(by)).ToArray();
Console.WriteLine(string.Join(", ", await ray.Get(refs)));
Console.WriteLine($"the counter is {await counter.Read.Remote()}");

/// <summary>The actor.</summary>
[Remote]
internal sealed class Counter
{
    private int count;

    public int Increment(int by) => count += by;

    public int Read() => count;
}
