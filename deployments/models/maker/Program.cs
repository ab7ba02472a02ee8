using System.CommandLine;
using ModelMaker;

var folder = new Argument<string>("folder") { Description = "Output folder.", DefaultValueFactory = _ => CommittedModels.Folder };
var path = new Argument<string>("path") { Description = "The file to write." };
var seed = new Option<ulong>("--seed") { Description = "Seed of the weights.", DefaultValueFactory = _ => 1 };

var externalData = new Option<bool>("--external-data") { Description = "Stores the weights in PATH.data." };
var channels = new Option<int>("--width") { Description = "Channels of the first stage.", DefaultValueFactory = _ => 64 };
var convnet = new Command("convnet", "A residual network of 18 layers with random weights, 47 MB.") { path, seed, channels, externalData };
convnet.SetAction(parsed => ConvNet.Write(
    parsed.GetRequiredValue(path), parsed.GetValue(seed), parsed.GetValue(channels), parsed.GetValue(externalData)));

var width = new Option<int>("--width") { Description = "Rows and columns of each layer.", DefaultValueFactory = _ => 512 };
var layers = new Option<int>("--layers") { Description = "Number of layers.", DefaultValueFactory = _ => 4 };
var mlp = new Command("mlp", "Dense layers with random weights, whose cost a batch shares.") { path, seed, width, layers };
mlp.SetAction(parsed => Mlp.Write(parsed.GetRequiredValue(path), parsed.GetValue(seed), parsed.GetValue(width), parsed.GetValue(layers)));

var all = new RootCommand("Creates the models of this repository; without a command, the committed ones.") { folder, convnet, mlp };
all.SetAction(parsed => CommittedModels.Write(parsed.GetRequiredValue(folder), Console.Out));
return all.Parse(args).Invoke();
