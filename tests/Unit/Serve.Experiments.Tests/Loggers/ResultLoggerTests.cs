using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Serve.Experiments.Loggers;

namespace Serve.Experiments.Tests.Loggers;

public sealed class ResultLoggerTests : IDisposable
{
    private static readonly JsonElement Config = JsonSerializer.SerializeToElement(new { lr = 0.1, opt = "adam", nested = new { flag = true } });

    private readonly TemporaryTestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void JsonLogger_Reports_AreLinesAsInRay()
    {
        using (var logger = new JsonResultLogger(_folder.Path, Config))
            logger.Log(Report(1, double.NaN));
        using (var logger = new JsonResultLogger(_folder.Path, Config))
            logger.Log(Report(2, 0.5));

        Assert.Equal(
        [
            """{"loss":NaN,"training_iteration":1,"time_total_s":1.5,"trial_id":"t"}""",
            """{"loss":0.5,"training_iteration":2,"time_total_s":1.5,"trial_id":"t"}""",
        ], File.ReadAllLines(Path.Combine(_folder.Path, "result.json")));
        Assert.Equal(Config.GetRawText(), File.ReadAllText(Path.Combine(_folder.Path, "params.json")));
    }

    [Fact]
    public void CsvLogger_ContinuedFile_KeepsItsColumns()
    {
        using (var logger = new CsvResultLogger(_folder.Path))
            logger.Log(new("t", 1, 1.5, MetricValues.From(new { loss = 0.5, accuracy = 1 })));
        using (var logger = new CsvResultLogger(_folder.Path))
        {
            logger.Log(new("t", 2, 2.5, MetricValues.From(new { accuracy = 2, later = 7 })));
        }

        Assert.Equal(["loss,accuracy,training_iteration,time_total_s", "0.5,1,1,1.5", ",2,2,2.5"], File.ReadAllLines(Path.Combine(_folder.Path, "progress.csv")));
    }

    [Fact]
    public void TensorBoard_Records_HaveValidChecksumsAndContent()
    {
        using (var logger = new TensorBoardResultLogger(_folder.Path, Config, TimeProvider.System))
        {
            logger.Log(Report(1, 0.25));
            logger.Log(Report(300, -2));
            logger.End(hasSucceeded: true);
        }

        var events = ReadFrames(Assert.Single(Directory.GetFiles(_folder.Path, "events.out.tfevents.*")));

        Assert.Equal("brain.Event:2", Text(Fields(events[0])[3]));
        Assert.Equal(["_hparams_/experiment", "_hparams_/session_start_info", "ray/tune/loss", "ray/tune/loss", "_hparams_/session_end_info"], events.Skip(1).Select(Tag));
        Assert.Equal(0.25f, BinaryPrimitives.ReadSingleLittleEndian(Value(events[3])[2].Span));
        Assert.Equal(-2f, BinaryPrimitives.ReadSingleLittleEndian(Value(events[4])[2].Span));
        Assert.Equal([0xAC, 0x02], Fields(events[4])[2].ToArray());
        var plugin = Fields(Fields(Value(events[2])[9])[1]);
        Assert.Equal("hparams", Text(plugin[1]));
        var start = Encoding.UTF8.GetString(plugin[2].Span);
        Assert.All(["lr", "opt", "adam", "nested/flag"], part => Assert.Contains(part, start, StringComparison.Ordinal));

        static string Tag(ReadOnlyMemory<byte> message) => Text(Value(message)[1]);
        static Dictionary<int, ReadOnlyMemory<byte>> Value(ReadOnlyMemory<byte> message) => Fields(Fields(Fields(message)[5])[1]);
        static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);
    }

    // The check value of CRC-32C (RFC 3720) is 0xE3069283 for "123456789".
    [Fact]
    public void MaskedCrc_CheckValue_IsMasked() =>
        Assert.Equal(System.Numerics.BitOperations.RotateRight(0xE3069283, 15) + 0xA282EAD8, TensorBoardEventWriter.MaskedCrc("123456789"u8));

    private static TrialReported Report(int iteration, double loss) => new("t", iteration, 1.5, MetricValues.From(new { loss }));

    private static List<ReadOnlyMemory<byte>> ReadFrames(string path)
    {
        var bytes = File.ReadAllBytes(path);
        List<ReadOnlyMemory<byte>> frames = [];
        for (var offset = 0; offset < bytes.Length;)
        {
            var length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(offset));
            Assert.Equal(TensorBoardEventWriter.MaskedCrc(bytes.AsSpan(offset, 8)), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(offset + 8)));
            Assert.Equal(TensorBoardEventWriter.MaskedCrc(bytes.AsSpan(offset + 12, length)), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(offset + 12 + length)));
            frames.Add(bytes.AsMemory(offset + 12, length));
            offset += length + 16;
        }

        return frames;
    }

    /// <summary>The last content of each field of a message.</summary>
    private static Dictionary<int, ReadOnlyMemory<byte>> Fields(ReadOnlyMemory<byte> message)
    {
        var fields = new Dictionary<int, ReadOnlyMemory<byte>>();
        for (var offset = 0; offset < message.Length;)
        {
            var key = message.Span[offset++];
            var start = offset;
            if ((key & 7) == 0)
            {
                while (message.Span[offset++] >= 0x80)
                {
                }
            }
            else if ((key & 7) == 2)
            {
                var (length, shift) = (0, 0);
                do
                {
                    length |= (message.Span[offset] & 0x7F) << shift;
                    shift += 7;
                }
                while (message.Span[offset++] >= 0x80);
                (start, offset) = (offset, offset + length);
            }
            else
            {
                offset += (key & 7) == 1 ? 8 : 4;
            }

            fields[key >> 3] = message[start..offset];
        }

        return fields;
    }
}
