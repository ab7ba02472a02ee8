// Dynamic batching: each caller sends one review; the method receives lists of reviews that arrived at about the same time.
using System.Runtime.CompilerServices;
using Serve;

[Deployment]
public sealed class Batcher
{
    // curl -d '{"text":"a sunny day"}' -H 'Content-Type: application/json' http://127.0.0.1:8000/Batcher
    [Batch(MaxBatchSize = 32, BatchWaitTimeout = "5ms")]
    public async Task<Mood[]> Call(IReadOnlyList<Review> reviews)
    {
        await Task.Delay(10);   // the cost of a model run, independent of the number of texts
        return [.. reviews.Select(review => new Mood(review.Text.Contains("sun", StringComparison.OrdinalIgnoreCase) ? "bright" : "dark", reviews.Count))];
    }

    // An invalid item fails alone.
    [Batch(MaxBatchSize = 32, Adaptive = true), HttpGet("/square-root/{number}")]
    public BatchResult<double>[] Root(IReadOnlyList<double> number) =>
        [.. number.Select(x => x >= 0 ? Math.Sqrt(x) : (BatchResult<double>)BatchResult.Fail(new BadInputException($"{x} has no real root.")))];

    // Each step returns the next word of each text; the stream of a text without further words has ended.
    [Batch(MaxBatchSize = 8), HttpGet("/words")]
    public async IAsyncEnumerable<BatchResult<string>[]> Words([FromQuery] IReadOnlyList<string> text, [EnumeratorCancellation] CancellationToken stop)
    {
        var words = text.Select(each => each.Split(' ')).ToArray();
        for (var step = 0; step < words.Max(each => each.Length); step++)
        {
            await Task.Delay(20, stop);
            yield return [.. words.Select(each => step < each.Length ? each[step] : (BatchResult<string>)BatchResult.End)];
        }
    }
}

public sealed record Review(string Text);

public sealed record Mood(string Name, int Among);
