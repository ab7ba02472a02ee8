using Serve;

[Deployment]
public sealed class Work(Cluster ray)
{
    private ActorHandle<Tally>? tally;
    private ObjectRef<double[]>? held;

    [HttpGet("/sum")]
    public async Task<double> Sum([FromQuery] int n) =>
        (await ray.Get(Enumerable.Range(0, n).Select(number => ray.Steps.Half.Remote(number)))).Sum();

    [HttpGet("/put")]
    public async Task<int> Put([FromQuery] int n)
    {
        var text = ray.Put(new string('x', n));
        return await ray.Get(ray.Steps.Length.Remote(text));
    }

    [HttpGet("/hold")]
    public async Task<double> Hold([FromQuery] int n)
    {
        held = ray.Put(new double[n]);
        return await ray.Get(ray.Steps.First.Remote(held));
    }

    [HttpGet("/where")]
    public async Task<int[]> Where() => [Environment.ProcessId, await ray.Get(ray.Steps.Where.Remote())];

    [HttpGet("/current")]
    public bool Current() => Cluster.Current == ray;

    [HttpGet("/throw")]
    public async Task<int> Throw() => await ray.Get(ray.Steps.Throw.Remote());

    [HttpGet("/add")]
    public async Task<int> Add([FromQuery] int n) => await ray.Get((tally ??= ray.Tally.Remote(100)).Add.Remote(n));
}

public static partial class Steps
{
    [Remote]
    public static double Half(int number) => number / 2.0;

    [Remote]
    public static int Length(string text) => text.Length;

    [Remote]
    public static double First(double[] array) => array[0];

    [Remote]
    public static int Where() => Environment.ProcessId;

    [Remote]
    public static int Throw() => throw new InvalidOperationException("a task of a deployment");
}

[Remote]
public sealed class Tally(int start)
{
    private int count = start;

    public int Add(int number) => count += number;
}
